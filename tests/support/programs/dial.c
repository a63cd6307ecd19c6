/*
 * A program that knows of no proxy: `dial ADDRESS PORT [TEXT]` connects, sends TEXT, prints what comes back until the
 * other side is done. `dial -u ADDRESS PORT TEXT` sends a datagram and waits for one. What fails is printed as
 * `error NAME`, with exit code 1.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int failed(void) {
  printf("error %s\n", strerrorname_np(errno));
  return 1;
}

static socklen_t address_of(const char *text, const char *port, struct sockaddr_storage *out) {
  struct sockaddr_in *v4 = (void *)out;
  struct sockaddr_in6 *v6 = (void *)out;
  memset(out, 0, sizeof *out);
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons((unsigned short)atoi(port));
    return sizeof *v4;
  }
  if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1) return 0;
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons((unsigned short)atoi(port));
  return sizeof *v6;
}

int main(int argc, char **argv) {
  int type = SOCK_STREAM;
  if (argc > 1 && strcmp(argv[1], "-u") == 0) type = SOCK_DGRAM, argc--, argv++;
  if (argc < 3) return 2;
  struct sockaddr_storage to;
  socklen_t size = address_of(argv[1], argv[2], &to);
  int fd = socket(to.ss_family, type, 0);
  struct timeval patience = {10, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (fd < 0 || connect(fd, (void *)&to, size)) return failed();
  if (argc > 3 && argv[3][0] && send(fd, argv[3], strlen(argv[3]), MSG_NOSIGNAL) < 0) return failed();
  char buffer[4096];
  ssize_t n;
  while ((n = recv(fd, buffer, sizeof buffer, 0)) > 0) fwrite(buffer, 1, (size_t)n, stdout);
  return n < 0 ? failed() : 0;
}
