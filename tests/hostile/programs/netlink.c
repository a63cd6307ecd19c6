/* The kernel's configuration sockets. */
#include "escape.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

static void protocols(char **args) {
  (void)args;
  char detail[32];
  for (int protocol = 1; protocol < 32; protocol++) {
    snprintf(detail, sizeof detail, "netlink protocol %d", protocol);
    must_fail(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), detail);
    must_fail(socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, protocol), detail);
  }
  all_refused("netfilter, audit, uevents and every other netlink protocol");
}

/* Sends one request and returns the error of its acknowledgement as -1 and errno. */
static int ask(int fd, struct nlmsghdr *request) {
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  if (sendto(fd, request, request->nlmsg_len, 0, (void *)&kernel, sizeof kernel) < 0) return -1;
  struct {
    struct nlmsghdr head;
    struct nlmsgerr error;
    char more[512];
  } answer;
  struct timeval patience = {2, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (recv(fd, &answer, sizeof answer, 0) < (ssize_t)(sizeof answer.head + sizeof answer.error.error)) return -1;
  if (answer.head.nlmsg_type != NLMSG_ERROR || answer.error.error == 0) return 0;
  errno = -answer.error.error;
  return -1;
}

struct route_request {
  struct nlmsghdr head;
  union {
    struct ifaddrmsg address;
    struct ifinfomsg link;
    struct rtmsg route;
  } body;
  char attributes[64];
};

static struct route_request prepare(int type, int flags, size_t body) {
  struct route_request request = {.head = {.nlmsg_type = (unsigned short)type,
                                           .nlmsg_flags = (unsigned short)(NLM_F_REQUEST | NLM_F_ACK | flags),
                                           .nlmsg_len = (unsigned)NLMSG_LENGTH(body)}};
  return request;
}

static void attribute(struct route_request *request, int type, const void *data, size_t size) {
  struct rtattr *at = (void *)((char *)request + NLMSG_ALIGN(request->head.nlmsg_len));
  at->rta_type = (unsigned short)type;
  at->rta_len = (unsigned short)RTA_LENGTH(size);
  memcpy(RTA_DATA(at), data, size);
  request->head.nlmsg_len = (unsigned)(NLMSG_ALIGN(request->head.nlmsg_len) + RTA_ALIGN(at->rta_len));
}

static void routes(char **args) {
  (void)args;
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) refused_errno(errno, "a netlink route socket");
  unsigned loopback = if_nametoindex("lo");
  static const unsigned char address[4] = {10, 9, 8, 7};

  struct route_request new_address = prepare(RTM_NEWADDR, NLM_F_CREATE, sizeof(struct ifaddrmsg));
  new_address.body.address = (struct ifaddrmsg){.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = loopback};
  attribute(&new_address, IFA_LOCAL, address, sizeof address);
  must_fail(ask(fd, &new_address.head), "RTM_NEWADDR");

  struct route_request delete_route = prepare(RTM_DELROUTE, 0, sizeof(struct rtmsg));
  delete_route.body.route = (struct rtmsg){.rtm_family = AF_INET, .rtm_table = RT_TABLE_LOCAL, .rtm_type = RTN_LOCAL};
  must_fail(ask(fd, &delete_route.head), "RTM_DELROUTE");

  struct route_request new_route = prepare(RTM_NEWROUTE, NLM_F_CREATE, sizeof(struct rtmsg));
  new_route.body.route = (struct rtmsg){.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST};
  attribute(&new_route, RTA_OIF, &loopback, sizeof loopback);
  must_fail(ask(fd, &new_route.head), "RTM_NEWROUTE");

  struct route_request new_link = prepare(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
  attribute(&new_link, IFLA_IFNAME, "escape0", 8);
  must_fail(ask(fd, &new_link.head), "RTM_NEWLINK");

  struct route_request link_down = prepare(RTM_SETLINK, 0, sizeof(struct ifinfomsg));
  link_down.body.link = (struct ifinfomsg){.ifi_index = (int)loopback, .ifi_change = IFF_UP};
  must_fail(ask(fd, &link_down.head), "RTM_SETLINK");
  all_refused("new addresses, routes and links; lo down");
}

static void flush_rules(char **args) {
  (void)args;
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (fd < 0) refused_errno(errno, "a netfilter socket");
  struct {
    struct nlmsghdr head;
    struct nfgenmsg body;
  } batch[3] = {0};
  static const unsigned short types[] = {NFNL_MSG_BATCH_BEGIN, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE,
                                         NFNL_MSG_BATCH_END};
  for (int i = 0; i < 3; i++) {
    batch[i].head = (struct nlmsghdr){.nlmsg_len = sizeof batch[i],
                                      .nlmsg_type = types[i],
                                      .nlmsg_flags = NLM_F_REQUEST | (i == 1 ? NLM_F_ACK : 0)};
    batch[i].body = (struct nfgenmsg){.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0};
    if (i != 1) batch[i].body.res_id = (unsigned short)(NFNL_SUBSYS_NFTABLES << 8); /* big endian */
  }
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  if (sendto(fd, batch, sizeof batch, 0, (void *)&kernel, sizeof kernel) < 0) refused_errno(errno, "nftables flush");
  struct {
    struct nlmsghdr head;
    struct nlmsgerr error;
    char more[512];
  } answer;
  struct timeval patience = {2, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (recv(fd, &answer, sizeof answer, 0) < 0) refused_errno(errno, "nftables flush");
  if (answer.error.error) refused_errno(-answer.error.error, "nftables flush");
  escaped("all nftables tables were deleted");
}

const struct attempt netlink_attempts[] = {
    {"netlink-protocols", "netlink other than route queries", "EPROTONOSUPPORT", protocols, 0},
    {"netlink-routes", "changing addresses, routes and links", "EPERM", routes, 0},
    {"nftables-flush", "deleting the capture rules", "EPROTONOSUPPORT EPERM", flush_rules, 0},
    {0},
};
