/*
 * The capture rules, told to nf_tables over netlink (linux/netfilter/nf_tables.h):
 *   table openshell { chain capture { type filter hook prerouting priority mangle;
 *     meta l4proto tcp  daddr != loopback  tproxy to :PORT  accept } }
 * Every destination is local in this namespace, so what a program sends comes back in through lo and meets them.
 */
#include "launcher.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct batch {
  uint8_t bytes[4096];
  size_t size;
  uint32_t sequence;
  uint8_t family;
};

static void *put(struct batch *b, const void *data, size_t size) {
  uint8_t *at = b->bytes + b->size;
  memset(at, 0, NLMSG_ALIGN(size));
  if (data) memcpy(at, data, size);
  b->size += NLMSG_ALIGN(size);
  return at;
}

static struct nlattr *attribute(struct batch *b, int type, const void *data, size_t size) {
  struct nlattr header = {.nla_type = (uint16_t)type, .nla_len = (uint16_t)(NLA_HDRLEN + size)};
  struct nlattr *at = put(b, &header, sizeof header);
  if (size) put(b, data, size);
  return at;
}

static struct nlattr *nest(struct batch *b, int type) { return attribute(b, type | NLA_F_NESTED, NULL, 0); }
static void nest_end(struct batch *b, struct nlattr *at) { at->nla_len = (uint16_t)(b->bytes + b->size - (uint8_t *)at); }
static void put_text(struct batch *b, int type, const char *value) { attribute(b, type, value, strlen(value) + 1); }
static void put_u32(struct batch *b, int type, uint32_t value) {
  value = htonl(value); /* nf_tables integers are big-endian */
  attribute(b, type, &value, sizeof value);
}

static void put_data(struct batch *b, int type, const void *value, size_t size) {
  struct nlattr *outer = nest(b, type);
  attribute(b, NFTA_DATA_VALUE, value, size);
  nest_end(b, outer);
}

static struct nlmsghdr *message(struct batch *b, int type, int flags) {
  struct nlmsghdr header = {.nlmsg_type = (uint16_t)type, .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags), .nlmsg_seq = b->sequence++};
  struct nlmsghdr *at = put(b, &header, sizeof header);
  int bare = type == NFNL_MSG_BATCH_BEGIN || type == NFNL_MSG_BATCH_END;
  struct nfgenmsg generic = {.nfgen_family = bare ? AF_UNSPEC : b->family, .res_id = bare ? htons(NFNL_SUBSYS_NFTABLES) : 0};
  put(b, &generic, sizeof generic);
  return at;
}

static void message_end(struct batch *b, struct nlmsghdr *at) { at->nlmsg_len = (uint32_t)(b->bytes + b->size - (uint8_t *)at); }

struct expression {
  struct nlattr *element, *data;
};

static struct expression expression(struct batch *b, const char *name) {
  struct expression e = {.element = nest(b, NFTA_LIST_ELEM)};
  put_text(b, NFTA_EXPR_NAME, name);
  e.data = nest(b, NFTA_EXPR_DATA);
  return e;
}

static void expression_end(struct batch *b, struct expression e) {
  nest_end(b, e.data);
  nest_end(b, e.element);
}

static void compare(struct batch *b, int operator, const void *value, size_t size) {
  struct expression e = expression(b, "cmp");
  put_u32(b, NFTA_CMP_SREG, NFT_REG_1);
  put_u32(b, NFTA_CMP_OP, (uint32_t) operator);
  put_data(b, NFTA_CMP_DATA, value, size);
  expression_end(b, e);
}

static void rule_expressions(struct batch *b, uint16_t port, int ipv6) {
  struct expression e = expression(b, "meta");
  put_u32(b, NFTA_META_DREG, NFT_REG_1);
  put_u32(b, NFTA_META_KEY, NFT_META_L4PROTO);
  expression_end(b, e);
  uint8_t tcp = IPPROTO_TCP;
  compare(b, NFT_CMP_EQ, &tcp, sizeof tcp);

  /* The destination is not loopback: the first byte at 16 of an IPv4 header, the 16 bytes at 24 of an IPv6 one. */
  uint32_t size = ipv6 ? 16 : 1;
  e = expression(b, "payload");
  put_u32(b, NFTA_PAYLOAD_DREG, NFT_REG_1);
  put_u32(b, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
  put_u32(b, NFTA_PAYLOAD_OFFSET, ipv6 ? 24 : 16);
  put_u32(b, NFTA_PAYLOAD_LEN, size);
  expression_end(b, e);
  compare(b, NFT_CMP_NEQ, ipv6 ? (const void *)&in6addr_loopback : "\x7f", size);

  uint16_t big_endian_port = htons(port);
  e = expression(b, "immediate");
  put_u32(b, NFTA_IMMEDIATE_DREG, NFT_REG_1);
  put_data(b, NFTA_IMMEDIATE_DATA, &big_endian_port, sizeof big_endian_port);
  expression_end(b, e);

  e = expression(b, "tproxy");
  put_u32(b, NFTA_TPROXY_FAMILY, ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
  put_u32(b, NFTA_TPROXY_REG_PORT, NFT_REG_1);
  expression_end(b, e);

  e = expression(b, "immediate");
  put_u32(b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
  struct nlattr *data = nest(b, NFTA_IMMEDIATE_DATA), *verdict = nest(b, NFTA_DATA_VERDICT);
  put_u32(b, NFTA_VERDICT_CODE, NF_ACCEPT);
  nest_end(b, verdict);
  nest_end(b, data);
  expression_end(b, e);
}

/* Reads acknowledgements until the last message of the batch was answered. */
static int acknowledged(int fd, uint32_t last) {
  uint8_t buffer[8192];
  for (;;) {
    ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n < 0) return -1;
    size_t left = (size_t)n;
    for (struct nlmsghdr *at = (void *)buffer; NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
      if (at->nlmsg_type != NLMSG_ERROR) continue;
      int error = ((struct nlmsgerr *)NLMSG_DATA(at))->error;
      if (error) return errno = -error, -1;
      if (at->nlmsg_seq == last) return 0;
    }
  }
}

int capture_install(uint32_t port, int ipv6) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (fd < 0) return -1;
  struct batch b = {.sequence = 1, .family = ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4};
  const int new = NLM_F_CREATE;
  message_end(&b, message(&b, NFNL_MSG_BATCH_BEGIN, 0));

  struct nlmsghdr *m = message(&b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE, new);
  put_text(&b, NFTA_TABLE_NAME, "openshell");
  message_end(&b, m);

  m = message(&b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN, new);
  put_text(&b, NFTA_CHAIN_TABLE, "openshell");
  put_text(&b, NFTA_CHAIN_NAME, "capture");
  struct nlattr *hook = nest(&b, NFTA_CHAIN_HOOK);
  put_u32(&b, NFTA_HOOK_HOOKNUM, NF_INET_PRE_ROUTING);
  put_u32(&b, NFTA_HOOK_PRIORITY, (uint32_t)-150); /* mangle */
  nest_end(&b, hook);
  put_text(&b, NFTA_CHAIN_TYPE, "filter");
  message_end(&b, m);

  uint32_t last = b.sequence;
  m = message(&b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE, new | NLM_F_APPEND | NLM_F_ACK);
  put_text(&b, NFTA_RULE_TABLE, "openshell");
  put_text(&b, NFTA_RULE_CHAIN, "capture");
  struct nlattr *list = nest(&b, NFTA_RULE_EXPRESSIONS);
  rule_expressions(&b, (uint16_t)port, ipv6);
  nest_end(&b, list);
  message_end(&b, m);
  message_end(&b, message(&b, NFNL_MSG_BATCH_END, 0));

  int result = send(fd, b.bytes, b.size, 0) < 0 ? -1 : acknowledged(fd, last);
  int saved = errno;
  close(fd);
  errno = saved;
  return result;
}
