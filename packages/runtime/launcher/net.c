/* The sandbox's network: what the given netlink messages make of it, and listeners whose descriptors go outside. */
#include "launcher.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

/* Sends messages that were built by the caller and reads until the last one is acknowledged or one is refused. */
int netlink_apply(const struct netlink_item *item) {
  static uint8_t answer[16384];
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, (int)item->protocol), result = 1;
  if (fd < 0 || send(fd, item->bytes, item->size, 0) < 0) result = -1;
  while (result == 1) {
    ssize_t n = recv(fd, answer, sizeof answer, 0);
    if (n < 0) result = -1;
    size_t left = n < 0 ? 0 : (size_t)n;
    for (struct nlmsghdr *at = (void *)answer; result == 1 && NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
      if (at->nlmsg_type != NLMSG_ERROR) continue;
      int error = ((struct nlmsgerr *)NLMSG_DATA(at))->error;
      if (error) errno = -error, result = -1;
      else if (at->nlmsg_seq == item->last_sequence) result = 0;
    }
  }
  int saved = errno;
  if (fd >= 0) close(fd);
  errno = saved;
  return result;
}

static int listener_open(const struct listener_item *l) {
  const int on = 1;
  int type = l->datagram ? SOCK_DGRAM : SOCK_STREAM;
  int fd = socket(l->ipv6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  /* Accepted sockets inherit it: one system call less for each connection. */
  if (!l->datagram) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (l->ipv6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on)) return -1;
  if (l->transparent && (l->ipv6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof on)
                                 : setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof on))) return -1;
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)l->port)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)l->port)};
  memcpy(&v4.sin_addr, l->address, 4);
  memcpy(&v6.sin6_addr, l->address, 16);
  if (l->ipv6 ? bind(fd, (void *)&v6, sizeof v6) : bind(fd, (void *)&v4, sizeof v4)) return -1;
  if (!l->datagram && listen(fd, BACKLOG)) return -1;
  return fd;
}

/* Node.js takes descriptors from its IPC channel in this envelope (lib/internal/child_process.js). */
static int hand_out(const struct listener_item *l, int fd) {
  char envelope[256];
  const char *type = l->datagram ? "dgram.Socket\",\"dgramType\":\"udp" : "net.Native";
  const char *family = l->datagram ? (l->ipv6 ? "6" : "4") : "";
  int size = snprintf(envelope, sizeof envelope, "{\"cmd\":\"NODE_HANDLE\",\"type\":\"%s%s\",\"msg\":\"%s\"}\n", type, family, l->name);
  return send_with_fds(HANDLE_FD, envelope, (size_t)size, &fd, 1);
}

int network_bring_up(const struct spec *spec) {
  int handed_out = 0;
  for (uint32_t i = 0; i < spec->netlink_count; i++) {
    const struct netlink_item *item = &spec->netlinks[i];
    if (netlink_apply(item) == 0) continue;
    if (item->required) fail("network", item->name);
    note(item->name, NULL);
  }
  for (uint32_t i = 0; i < spec->listener_count; i++) {
    const struct listener_item *l = &spec->listeners[i];
    int fd = listener_open(l);
    if (fd < 0 && l->ipv6 && errno == EAFNOSUPPORT) continue; /* a kernel without IPv6 has no IPv6 way out either */
    if (fd < 0) fail("listener", l->name);
    if (hand_out(l, fd)) fail("hand out listener", l->name);
    close(fd);
    handed_out++;
  }
  return handed_out;
}

int network_diagnostics(void) { return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG); }
