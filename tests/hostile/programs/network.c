/* Sending anything past the egress. */
#include "escape.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef IP_TRANSPARENT
#define IP_TRANSPARENT 19
#endif

enum { ANSWER_WITHIN_MS = 2000 };

static struct sockaddr_in v4(const char *address, int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  inet_pton(AF_INET, address, &to.sin_addr);
  return to;
}

static struct sockaddr_in6 v6(const char *address, int port) {
  struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons((unsigned short)port)};
  inet_pton(AF_INET6, address, &to.sin6_addr);
  return to;
}

/* Sends a datagram and waits for an answer or an error. Silence is ETIMEDOUT: nothing came back. */
static ssize_t exchange(const void *to, socklen_t size, int family, const void *data, size_t length, void *answer,
                        size_t room) {
  int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, to, size) || send(fd, data, length, 0) < 0) return -1;
  struct pollfd ready = {.fd = fd, .events = POLLIN};
  int events = poll(&ready, 1, ANSWER_WITHIN_MS);
  if (events == 0) errno = ETIMEDOUT;
  if (events <= 0) return -1;
  ssize_t got = recv(fd, answer, room, 0);
  int error = errno;
  close(fd);
  errno = error;
  return got;
}

/* "Where is example.com?" (A). Answers without an address, or with a synthetic one (198.18.0.0/15), are refusals. */
static void ask_name(const void *to, socklen_t size, int family) {
  static const unsigned char query[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07" "example" "\x03" "com\0\0\x01\0\x01";
  unsigned char answer[512];
  ssize_t got = exchange(to, size, family, query, sizeof query - 1, answer, sizeof answer);
  if (got < 0) refused_errno(errno, "DNS query to a foreign server");
  if (got < 12) escaped("a foreign server answered %zd bytes", got);
  if ((answer[3] & 15) != 0 || (answer[6] | answer[7]) == 0) refused("NOANSWER", "the name has no address here");
  const unsigned char *address = answer + got - 4;
  if (address[0] == 198 && (address[1] & 254) == 18) refused("SYNTHETIC", "answered inside the sandbox");
  escaped("a foreign server gave the address %u.%u.%u.%u", address[0], address[1], address[2], address[3]);
}

static void dns_v4(char **args) {
  (void)args;
  struct sockaddr_in to = v4("8.8.8.8", 53);
  ask_name(&to, sizeof to, AF_INET);
}

static void dns_v6(char **args) {
  (void)args;
  struct sockaddr_in6 to = v6("2001:4860:4860::8888", 53);
  ask_name(&to, sizeof to, AF_INET6);
}

static void udp_other(char **args) {
  (void)args;
  static const int ports[] = {123, 443, 161, 5353, 51820};
  char answer[64];
  for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
    struct sockaddr_in to = v4("1.1.1.1", ports[i]);
    must_fail(exchange(&to, sizeof to, AF_INET, "escape", 6, answer, sizeof answer), "UDP to 1.1.1.1");
  }
  struct sockaddr_in6 to = v6("2606:4700:4700::1111", 443);
  must_fail(exchange(&to, sizeof to, AF_INET6, "escape", 6, answer, sizeof answer), "UDP over IPv6");
  all_refused("UDP to NTP, QUIC, SNMP, mDNS and WireGuard ports");
}

/* Speaks HTTP over a connection and judges by the status: only a 2xx or 3xx means that somebody served us. */
static _Noreturn void judge_http(int fd, const char *host) {
  struct timeval patience = {5, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  char text[256];
  int length = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host);
  if (send(fd, text, (size_t)length, MSG_NOSIGNAL) < 0) refused_errno(errno, "sending a request");
  ssize_t got = recv(fd, text, sizeof text - 1, 0);
  if (got < 0) refused_errno(errno, "waiting for an answer");
  if (got == 0) refused("EOF", "closed without an answer");
  text[got] = '\0';
  text[strcspn(text, "\r\n")] = '\0';
  if (strncmp(text, "HTTP/1.", 7) == 0 && (text[9] == '4' || text[9] == '5')) refused("HTTP", text);
  escaped("got an answer: %s", text);
}

static void dial(const void *to, socklen_t size, int family, const char *host) {
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, to, size)) refused_errno(errno, "connecting directly");
  judge_http(fd, host);
}

static void tcp_v4(char **args) {
  (void)args;
  struct sockaddr_in to = v4("1.1.1.1", 80);
  dial(&to, sizeof to, AF_INET, "1.1.1.1");
}

static void tcp_v6(char **args) {
  (void)args;
  struct sockaddr_in6 to = v6("2606:4700:4700::1111", 80);
  dial(&to, sizeof to, AF_INET6, "[2606:4700:4700::1111]");
}

static void tcp_metadata(char **args) {
  (void)args;
  struct sockaddr_in to = v4("169.254.169.254", 80);
  dial(&to, sizeof to, AF_INET, "169.254.169.254");
}

/* Without a capture the original destination is the listener itself: it must not relay to itself or to the host. */
static void capture_direct(char **args) {
  struct sockaddr_in to = v4("127.0.0.1", atoi(argument(args, "the capture port")));
  dial(&to, sizeof to, AF_INET, "127.0.0.1");
}

static void bind_proxy(char **args) {
  int port = atoi(argument(args, "the proxy's port"));
  static const char *const addresses[] = {"127.0.0.1", "0.0.0.0"};
  for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    struct sockaddr_in at = v4(addresses[i], port);
    int result = bind(fd, (void *)&at, sizeof at);
    must_fail(result == 0 ? listen(fd, 1) : result, addresses[i]);
    close(fd);
  }
  all_refused("taking the proxy's port");
}

static void socket_options(char **args) {
  (void)args;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  must_fail(setsockopt(fd, SOL_IP, IP_TRANSPARENT, &on, sizeof on), "IP_TRANSPARENT");
  must_fail(setsockopt(fd, SOL_SOCKET, SO_MARK, &on, sizeof on), "SO_MARK");
  must_fail(setsockopt(fd, SOL_SOCKET, SO_DEBUG, &on, sizeof on), "SO_DEBUG");
  all_refused("IP_TRANSPARENT and SO_MARK");
}

static void open_socket(int family, int type, int protocol, const char *detail) {
  must_fail(socket(family, type | SOCK_CLOEXEC, protocol), detail);
}

static void ping(char **args) {
  (void)args;
  open_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP, "an ICMP ping socket");
  open_socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, "an ICMPv6 ping socket");
  all_refused("ping sockets");
}

static void raw(char **args) {
  (void)args;
  open_socket(AF_INET, SOCK_RAW, IPPROTO_RAW, "a raw IPv4 socket");
  open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP, "a raw ICMP socket");
  open_socket(AF_INET, SOCK_RAW, IPPROTO_TCP, "a raw TCP socket");
  open_socket(AF_INET6, SOCK_RAW, IPPROTO_RAW, "a raw IPv6 socket");
  open_socket(AF_INET, SOCK_PACKET, htons(3), "SOCK_PACKET");
  all_refused("raw sockets");
}

static void transports(char **args) {
  (void)args;
  static const int protocols[] = {33 /* DCCP */, 132 /* SCTP */, 136 /* UDP-Lite */, 115 /* L2TP */, 47, 50, 256};
  for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
    open_socket(AF_INET, SOCK_STREAM, protocols[i], "another transport over IPv4");
    open_socket(AF_INET6, SOCK_DGRAM, protocols[i], "another transport over IPv6");
  }
  open_socket(AF_INET, SOCK_SEQPACKET, 132, "SCTP, one to many");
  open_socket(AF_INET, 6 /* SOCK_DCCP */, 33, "DCCP");
  open_socket(AF_INET, SOCK_STREAM, 262 /* MPTCP */, "MPTCP");
  all_refused("SCTP, DCCP, UDP-Lite, MPTCP and others");
}

static void mptcp(char **args) {
  (void)args;
  judge(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP), "an MPTCP socket");
}

static void families(char **args) {
  (void)args;
  char detail[32];
  for (int family = 0; family < 64; family++) {
    if (family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK) continue;
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET};
    snprintf(detail, sizeof detail, "address family %d", family);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) open_socket(family, types[i], 0, detail);
    int pair[2];
    must_fail(socketpair(family, SOCK_STREAM, 0, pair), detail);
  }
  all_refused("packet, vsock, Bluetooth, ALG, XDP and every other family");
}

static void local_socket(const struct sockaddr_un *to, socklen_t size) {
  static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    int fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0);
    if (fd < 0) unsupported("no Unix sockets: %s", strerror(errno));
    if (connect(fd, (const void *)to, size) == 0) escaped("connected to a Unix socket of the host");
    if (i == 0 || errno != EPROTOTYPE) must_fail(-1, "connect");
    close(fd);
  }
  all_refused("connecting to a Unix socket of the host");
}

static struct sockaddr_un local_name(const char *name, size_t offset, socklen_t *size) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  size_t length = strlen(name);
  if (length + offset >= sizeof to.sun_path) unsupported("the name %s is too long", name);
  memcpy(to.sun_path + offset, name, length);
  *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + offset + length);
  return to;
}

static void abstract_socket(char **args) {
  socklen_t size;
  struct sockaddr_un to = local_name(argument(args, "name of an abstract socket of the host"), 1, &size);
  local_socket(&to, size);
}

static void path_socket(char **args) {
  socklen_t size;
  struct sockaddr_un to = local_name(argument(args, "path of a Unix socket of the host"), 0, &size);
  local_socket(&to, size);
}

#define NO_WAY_OUT "ECONNREFUSED ENETUNREACH EHOSTUNREACH EPERM EACCES ETIMEDOUT ECONNRESET"

const struct attempt network_attempts[] = {
    {"udp-dns-v4", "a DNS query to 8.8.8.8", NO_WAY_OUT " NOANSWER SYNTHETIC", dns_v4, 0},
    {"udp-dns-v6", "a DNS query over IPv6", NO_WAY_OUT " EADDRNOTAVAIL NOANSWER SYNTHETIC", dns_v6, 0},
    {"udp-other", "UDP to five ports that are not DNS", NO_WAY_OUT " EADDRNOTAVAIL", udp_other, 0},
    {"tcp-direct-v4", "HTTP to 1.1.1.1 without the proxy", NO_WAY_OUT " EOF HTTP EAGAIN", tcp_v4, 0},
    {"tcp-direct-v6", "HTTP over IPv6 without the proxy", NO_WAY_OUT " EADDRNOTAVAIL EOF HTTP EAGAIN", tcp_v6, 0},
    {"tcp-metadata", "the cloud's metadata address", NO_WAY_OUT " EOF HTTP EAGAIN", tcp_metadata, 0},
    {"capture-direct", "the capture port dialled as itself (argument: port)", NO_WAY_OUT " EOF HTTP", capture_direct, 0},
    {"bind-proxy-port", "listening in the proxy's place (argument: port)", "EADDRINUSE EACCES EPERM", bind_proxy, 0},
    {"socket-options", "IP_TRANSPARENT, SO_MARK, SO_DEBUG", "EPERM EACCES", socket_options, 0},
    {"ping-sockets", "ICMP through datagram sockets", "EPROTONOSUPPORT EACCES", ping, 0},
    {"raw-sockets", "raw IPv4, IPv6 and SOCK_PACKET sockets", "EPERM", raw, 0},
    {"transports", "SCTP, DCCP, UDP-Lite, L2TP, MPTCP", "EPROTONOSUPPORT EPERM", transports, 0},
    {"mptcp", "MPTCP with the errno that makes clients use TCP", "EPROTONOSUPPORT", mptcp, 0},
    {"families", "every other address family", "EAFNOSUPPORT", families, 0},
    {"abstract-socket", "an abstract Unix socket of the host (argument: name)", "ECONNREFUSED EPERM", abstract_socket, 0},
    {"path-socket", "a Unix socket of the host (argument: path)", "ENOENT EACCES EPERM ENOTDIR", path_socket, 0},
    {0},
};
