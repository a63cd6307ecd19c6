/* The sandbox's network: lo and nothing else, every address local, listeners whose descriptors go outside. */
#include "launcher.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LOOPBACK_INDEX = 1, BACKLOG = 4096 };

static int route_request(int fd, struct nlmsghdr *request) {
  uint8_t answer[4096];
  request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
  if (send(fd, request, request->nlmsg_len, 0) < 0) return -1;
  if (recv(fd, answer, sizeof answer, 0) < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr))) return -1;
  int error = ((struct nlmsgerr *)NLMSG_DATA((struct nlmsghdr *)answer))->error;
  return error ? (errno = -error, -1) : 0;
}

static int loopback_up(int fd) {
  struct { struct nlmsghdr header; struct ifinfomsg link; } request = {
      .header = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_NEWLINK},
      .link = {.ifi_index = LOOPBACK_INDEX, .ifi_flags = IFF_UP, .ifi_change = IFF_UP},
  };
  return route_request(fd, &request.header);
}

/* ip route add local default dev lo */
static int everything_local(int fd, uint8_t family) {
  struct { struct nlmsghdr header; struct rtmsg route; struct rtattr device; uint32_t index; } request = {
      .header = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_NEWROUTE, .nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL},
      .route = {.rtm_family = family, .rtm_table = RT_TABLE_LOCAL, .rtm_protocol = RTPROT_BOOT, .rtm_type = RTN_LOCAL,
                .rtm_scope = family == AF_INET ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE},
      .device = {.rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = RTA_OIF},
      .index = LOOPBACK_INDEX,
  };
  return route_request(fd, &request.header);
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
  int route = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (route < 0 || loopback_up(route)) fail("loopback", NULL);
  if (everything_local(route, AF_INET)) fail("routes", "IPv4");
  /* A kernel without IPv6 has no IPv6 way out either. */
  int ipv6 = everything_local(route, AF_INET6) == 0;
  close(route);
  for (uint32_t i = 0; i < spec->listener_count; i++) {
    const struct listener_item *l = &spec->listeners[i];
    if (l->ipv6 && !ipv6) continue;
    int fd = listener_open(l);
    if (fd < 0) fail("listener", l->name);
    if (hand_out(l, fd)) fail("hand out listener", l->name);
    close(fd);
    handed_out++;
  }
  if (!spec->capture_port) return handed_out;
  if (capture_install(spec->capture_port, 0)) report_send(fail_fd, R_NOTE, errno, 4, NULL, 0);
  if (ipv6 && capture_install(spec->capture_port, 1)) report_send(fail_fd, R_NOTE, errno, 6, NULL, 0);
  return handed_out;
}

int network_diagnostics(void) { return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG); }
