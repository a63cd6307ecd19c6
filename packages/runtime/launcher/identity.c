/*
 * Whose connection is this? The sandbox's own network namespace is asked for the socket (sock_diag), the sandbox's
 * own /proc for everybody who holds it. Answers facts; whether they are good enough is decided elsewhere.
 */
#include "launcher.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { MAX_OWNERS = 16, MAX_ANCESTORS = 64, MAX_DESCRIPTORS = 200000, MAX_ANSWER = 256 << 10 };

struct answer {
  char text[MAX_ANSWER];
  size_t size;
};
static struct answer answer;

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void add(const char *format, ...) {
  __builtin_va_list list;
  __builtin_va_start(list, format);
  int n = vsnprintf(answer.text + answer.size, MAX_ANSWER - answer.size, format, list);
  __builtin_va_end(list);
  if (n > 0 && answer.size + (size_t)n < MAX_ANSWER) answer.size += (size_t)n;
}

/* The inode of the client's socket: its local address is the flow's client side. 0 where there is none. */
static uint32_t socket_inode(int diag, int ipv6, const uint8_t *client, uint16_t client_port, const uint8_t *server, uint16_t server_port) {
  struct { struct nlmsghdr header; struct inet_diag_req_v2 query; } request = {
      .header = {.nlmsg_len = sizeof request, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
      .query = {.sdiag_family = ipv6 ? AF_INET6 : AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0U,
                .id = {.idiag_sport = htons(client_port), .idiag_dport = htons(server_port),
                       .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
  };
  memcpy(request.query.id.idiag_src, client, ipv6 ? 16 : 4);
  memcpy(request.query.id.idiag_dst, server, ipv6 ? 16 : 4);
  if (send(diag, &request, sizeof request, 0) < 0) return 0;
  uint8_t reply[4096];
  ssize_t n = recv(diag, reply, sizeof reply, 0);
  struct nlmsghdr *header = (void *)reply;
  if (n < (ssize_t)NLMSG_LENGTH(sizeof(struct inet_diag_msg)) || header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return 0;
  const struct inet_diag_msg *found = NLMSG_DATA(header);
  /* A listener is not the flow that was asked for. */
  if (found->id.idiag_sport != request.query.id.idiag_sport || found->id.idiag_dport != request.query.id.idiag_dport) return 0;
  return found->idiag_inode;
}

/* One system call a bunch of names: the C library's directory stream costs four more for each process. */
static int holds(int proc_fd, const char *pid, const char *wanted, int *budget) {
  static _Alignas(struct dirent64) char names[32768];
  char path[264], link[64];
  snprintf(path, sizeof path, "%s/fd", pid);
  int dir = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), found = 0;
  if (dir < 0) return errno == ENOENT || errno == ESRCH ? 0 : -1;
  ssize_t size;
  while (!found && (size = getdents64(dir, names, sizeof names)) > 0) {
    for (ssize_t at = 0; !found && at < size;) {
      const struct dirent64 *entry = (void *)(names + at);
      at += entry->d_reclen;
      if (!isdigit((unsigned char)entry->d_name[0])) continue;
      if (--*budget < 0) { found = -1; break; }
      ssize_t n = readlinkat(dir, entry->d_name, link, sizeof link - 1);
      if (n <= 0) continue;
      link[n] = 0;
      found = strcmp(link, wanted) == 0;
    }
  }
  close(dir);
  return found;
}

/* Adds " PID DEV INODE SIZE MTIME CTIME HEX(path)" and returns the parent, or -1. */
static int add_process(int proc_fd, int pid) {
  char path[64], exe[4200], stat_line[512];
  struct stat info;
  snprintf(path, sizeof path, "%d/exe", pid);
  ssize_t length = readlinkat(proc_fd, path, exe, sizeof exe);
  if (length <= 0 || length == sizeof exe || fstatat(proc_fd, path, &info, 0)) return -1;
  add(" %d %llu %llu %lld %lld.%09ld %lld.%09ld ", pid, (unsigned long long)info.st_dev, (unsigned long long)info.st_ino, (long long)info.st_size,
      (long long)info.st_mtim.tv_sec, info.st_mtim.tv_nsec, (long long)info.st_ctim.tv_sec, info.st_ctim.tv_nsec);
  for (ssize_t i = 0; i < length; i++) add("%02x", (unsigned char)exe[i]);
  snprintf(path, sizeof path, "%d/stat", pid);
  int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  length = read(fd, stat_line, sizeof stat_line - 1);
  close(fd);
  if (length <= 0) return -1;
  stat_line[length] = 0;
  /* pid (name) state ppid: the name may hold anything, so the last parenthesis counts. */
  const char *close_parenthesis = strrchr(stat_line, ')');
  int parent;
  return close_parenthesis && sscanf(close_parenthesis + 1, " %*c %d", &parent) == 1 ? parent : -1;
}

static int add_chain(int proc_fd, int pid) {
  add(" owner");
  for (int depth = 0; pid > 1; depth++) {
    if (depth == MAX_ANCESTORS) return -1;
    if ((pid = add_process(proc_fd, pid)) < 0) return -1;
  }
  return 0;
}

static const char *find_owners(int proc_fd, uint32_t inode) {
  char wanted[32];
  int budget = MAX_DESCRIPTORS, owners = 0;
  snprintf(wanted, sizeof wanted, "socket:[%u]", inode);
  int copy = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = copy < 0 ? NULL : fdopendir(copy);
  if (!dir) return "proc";
  const char *problem = NULL;
  struct dirent *entry;
  while (!problem && (entry = readdir(dir))) {
    int pid = atoi(entry->d_name);
    if (pid < 2) continue; /* not a process, or the sandbox's init, which has no connections */
    int found = holds(proc_fd, entry->d_name, wanted, &budget);
    if (found < 0) problem = "unreadable";
    if (found > 0 && ++owners > MAX_OWNERS) problem = "many";
    if (found > 0 && !problem && add_chain(proc_fd, pid)) problem = "vanished";
  }
  closedir(dir);
  return problem ? problem : owners ? NULL : "none";
}

static int parse_address(const char *hex, uint8_t *out) {
  size_t digits = strlen(hex);
  if (digits != 8 && digits != 32) return -1;
  for (size_t i = 0; i < digits / 2; i++)
    if (sscanf(hex + 2 * i, "%2hhx", &out[i]) != 1) return -1;
  return digits == 32;
}

/* "who ID CLIENT PORT SERVER PORT", addresses in hex. Answers "who ID ok owner … owner …" or "who ID no REASON". */
void who(char *line, int proc_fd, int diag_fd) {
  unsigned id, client_port, server_port;
  char client_text[40], server_text[40];
  uint8_t client[16], server[16];
  if (sscanf(line, "who %u %39s %u %39s %u", &id, client_text, &client_port, server_text, &server_port) != 5) return;
  answer.size = 0;
  add("who %u ok", id);
  int ipv6 = parse_address(client_text, client);
  const char *problem = "question";
  if (ipv6 >= 0 && parse_address(server_text, server) == ipv6) {
    uint32_t inode = socket_inode(diag_fd, ipv6, client, (uint16_t)client_port, server, (uint16_t)server_port);
    problem = inode ? find_owners(proc_fd, inode) : "gone";
  }
  if (!problem && answer.size > MAX_ANSWER - 8192) problem = "many";
  if (problem) {
    answer.size = 0;
    add("who %u no %s", id, problem);
  }
  add("\n");
  write_all(CONTROL_FD, answer.text, answer.size);
}
