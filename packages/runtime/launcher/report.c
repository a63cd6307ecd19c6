/* How the two sides of the launcher talk: fixed-size messages over a SOCK_SEQPACKET pair, with descriptors. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int fail_fd = -1;

int write_all(int fd, const void *data, size_t size) {
  const char *at = data;
  while (size) {
    ssize_t n = write(fd, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return -1;
    at += n, size -= (size_t)n;
  }
  return 0;
}

int write_file(const char *path, const char *content) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  int result = write_all(fd, content, strlen(content));
  int saved = errno;
  close(fd);
  errno = saved;
  return result;
}

int send_with_fds(int socket, const void *data, size_t size, const int *fds, int fd_count) {
  char control[CMSG_SPACE(sizeof(int) * 4)] = {0};
  struct iovec part = {(void *)data, size};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (fd_count) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)fd_count);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET, header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)fd_count);
    memcpy(CMSG_DATA(header), fds, sizeof(int) * (size_t)fd_count);
  }
  ssize_t n;
  do n = sendmsg(socket, &message, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n == (ssize_t)size ? 0 : -1;
}

int report_send(int fd, int type, int a, int b, const int *fds, int fd_count) {
  struct report report = {.type = type, .a = a, .b = b};
  return send_with_fds(fd, &report, sizeof report, fds, fd_count);
}

ssize_t report_receive(int fd, struct report *report, int *fds, int *fd_count) {
  char control[CMSG_SPACE(sizeof(int) * 4)];
  struct iovec part = {report, sizeof *report};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (fd_count) *fd_count = 0;
  ssize_t n;
  /* A peer that ended with an order unread says ECONNRESET, once, before what it had still sent. */
  do n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  while (n < 0 && (errno == EINTR || errno == ECONNRESET));
  if (n <= 0) return n;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header && header->cmsg_type == SCM_RIGHTS && fds) {
    *fd_count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(fds, CMSG_DATA(header), sizeof(int) * (size_t)*fd_count);
  }
  return n == sizeof *report ? n : -1;
}

static int tell_step(int type, const char *step, const char *detail) {
  struct report report = {.type = type, .a = errno};
  snprintf(report.step, sizeof report.step, "%s", step);
  snprintf(report.detail, sizeof report.detail, "%s", detail ? detail : "");
  return fail_fd < 0 ? -1 : write_all(fail_fd, &report, sizeof report);
}

void note(const char *step, const char *detail) { tell_step(R_NOTE, step, detail); }

_Noreturn void fail(const char *step, const char *detail) {
  /* Where nobody can be told, the exit status is all that is left. */
  _exit(tell_step(R_FAILED, step, detail) ? 126 : 125);
}
