/* Reads the specification: a sequence of records, each {u32 tag, u32 size, payload}. See PROTOCOL.md. */
#include "launcher.h"

#include <stdlib.h>
#include <string.h>

enum tag {
  T_FLAGS = 1, T_IDS, T_GROUPS, T_MAPS, T_HOSTNAME, T_BASE, T_MOUNT, T_IDMAP, T_LISTEN, T_NETLINK, T_ARGV,
  T_ENV, T_CWD, T_RLIMIT, T_LANDLOCK, T_RULE, T_SECCOMP, T_WINDOW,
};

struct reader {
  uint8_t *at, *end;
  int bad;
};

static uint32_t u32(struct reader *r) {
  uint32_t value;
  if ((size_t)(r->end - r->at) < sizeof value) return r->bad = 1, 0;
  memcpy(&value, r->at, sizeof value);
  r->at += sizeof value;
  return value;
}

static uint64_t u64(struct reader *r) {
  uint64_t low = u32(r);
  return low | (uint64_t)u32(r) << 32;
}

/* A NUL-terminated string inside the payload. */
static const char *text(struct reader *r) {
  uint8_t *end = r->at < r->end ? memchr(r->at, 0, (size_t)(r->end - r->at)) : NULL;
  if (!end) return r->bad = 1, "";
  const char *start = (const char *)r->at;
  r->at = end + 1;
  return start;
}

static const char *absolute(struct reader *r) {
  const char *path = text(r);
  if (path[0] != '/') r->bad = 1;
  return path;
}

/* All strings up to the end of the payload, as a NULL-terminated vector. */
static char **vector(struct reader *r) {
  size_t count = 0;
  for (uint8_t *p = r->at; p < r->end; p++) count += *p == 0;
  char **list = calloc(count + 1, sizeof *list);
  if (!list) return r->bad = 1, NULL;
  for (size_t i = 0; i < count; i++) list[i] = (char *)text(r);
  return list;
}

static void take_mount(struct spec *s, struct reader *r) {
  if (s->mount_count == MAX_MOUNTS) { r->bad = 1; return; }
  struct mount_item *m = &s->mounts[s->mount_count++];
  m->kind = u32(r), m->flags = u32(r), m->mode = u32(r), m->idmap = u32(r);
  m->target = absolute(r);
  m->source = text(r);
  m->data = r->at;
  m->data_size = (uint32_t)(r->end - r->at);
  if (m->kind == M_FILE) r->at = r->end;
  if (m->kind < M_DIR || m->kind > M_SEAL || m->flags & ~(uint32_t)MF_KNOWN || m->mode & ~07777u) r->bad = 1;
  if (m->kind == M_BIND && m->source[0] != '/') r->bad = 1;
  if (m->idmap > s->idmap_count || (m->idmap && m->kind != M_BIND)) r->bad = 1;
}

static void take_listener(struct spec *s, struct reader *r) {
  if (s->listener_count == MAX_LISTENERS) { r->bad = 1; return; }
  struct listener_item *l = &s->listeners[s->listener_count++];
  l->datagram = u32(r), l->ipv6 = u32(r), l->port = u32(r), l->transparent = u32(r);
  if ((size_t)(r->end - r->at) < sizeof l->address) { r->bad = 1; return; }
  memcpy(l->address, r->at, sizeof l->address);
  r->at += sizeof l->address;
  l->name = text(r);
  /* The name travels inside a JSON message: letters and digits only. */
  if (l->port == 0 || l->port > 65535 || strlen(l->name) > 32) r->bad = 1;
  if (strspn(l->name, "abcdefghijklmnopqrstuvwxyz0123456789") != strlen(l->name)) r->bad = 1;
}

static void take_netlink(struct spec *s, struct reader *r) {
  if (s->netlink_count == MAX_NETLINKS) { r->bad = 1; return; }
  struct netlink_item *n = &s->netlinks[s->netlink_count++];
  n->protocol = u32(r), n->required = u32(r), n->last_sequence = u32(r);
  n->name = text(r);
  n->bytes = r->at;
  n->size = (uint32_t)(r->end - r->at);
  r->at = r->end;
}

static void take(struct spec *s, uint32_t tag, struct reader *r) {
  switch (tag) {
    case T_FLAGS: s->flags = u32(r); if (s->flags & ~(uint32_t)F_KNOWN) r->bad = 1; return;
    case T_IDS: s->uid = u32(r), s->gid = u32(r); return;
    case T_GROUPS:
      while (r->at < r->end && !r->bad) {
        if (s->group_count == MAX_GROUPS) { r->bad = 1; return; }
        s->groups[s->group_count++] = u32(r);
      }
      return;
    case T_MAPS: s->uid_map = text(r), s->gid_map = text(r); return;
    case T_HOSTNAME: s->hostname = text(r); return;
    case T_BASE: s->base = absolute(r); return;
    case T_MOUNT: take_mount(s, r); return;
    case T_IDMAP:
      if (s->idmap_count == MAX_IDMAPS) { r->bad = 1; return; }
      s->idmaps[s->idmap_count].uid_map = text(r);
      s->idmaps[s->idmap_count++].gid_map = text(r);
      return;
    case T_LISTEN: take_listener(s, r); return;
    case T_NETLINK: take_netlink(s, r); return;
    case T_ARGV: if (s->argv) r->bad = 1; else s->argv = vector(r); return;
    case T_ENV: if (s->env) r->bad = 1; else s->env = vector(r); return;
    case T_CWD: s->cwd = absolute(r); return;
    case T_RLIMIT: {
      if (s->rlimit_count == MAX_RLIMITS) { r->bad = 1; return; }
      uint32_t i = s->rlimit_count++;
      s->rlimits[i].resource = u32(r), s->rlimits[i].soft = u64(r), s->rlimits[i].hard = u64(r);
      return;
    }
    case T_LANDLOCK:
      s->landlock.size = u32(r), s->landlock.restrict_flags = u32(r);
      s->landlock.fs = u64(r), s->landlock.net = u64(r), s->landlock.scoped = u64(r);
      if (s->landlock.size != 8 && s->landlock.size != 16 && s->landlock.size != 24) r->bad = 1;
      return;
    case T_RULE:
      if (s->rule_count == MAX_RULES) { r->bad = 1; return; }
      s->rules[s->rule_count].access = u64(r);
      s->rules[s->rule_count++].path = absolute(r);
      return;
    case T_SECCOMP:
      s->seccomp = r->at, s->seccomp_size = (uint32_t)(r->end - r->at), r->at = r->end;
      if (s->seccomp_size == 0 || s->seccomp_size % 8 || s->seccomp_size / 8 > 4096) r->bad = 1;
      return;
    case T_WINDOW: s->rows = u32(r), s->columns = u32(r); return;
    default: r->bad = 1;
  }
}

const char *spec_parse(struct spec *spec, uint8_t *data, size_t size) {
  memset(spec, 0, sizeof *spec);
  struct reader all = {data, data + size, 0};
  while (all.at < all.end) {
    uint32_t tag = u32(&all), length = u32(&all);
    if (all.bad || length > (size_t)(all.end - all.at)) return "a record is cut short";
    struct reader record = {all.at, all.at + length, 0};
    take(spec, tag, &record);
    if (record.bad) return "a record is malformed";
    if (record.at != record.end) return "a record is longer than its content";
    all.at += length;
  }
  /* A half-told boundary is no boundary: what every sandbox needs must be there. */
  if (!spec->flags && !spec->uid && !spec->argv) return "nothing is specified";
  if (spec->uid == 0 || spec->gid == 0) return "user 0 or group 0 for the workload";
  if (!spec->seccomp) return "no seccomp program";
  if (!(spec->flags & F_HOLD) && (!spec->argv || !spec->argv[0] || !spec->env || !spec->cwd)) return "no command";
  if (!spec->base || spec->mount_count == 0) return "no file system";
  if (spec->flags & F_USERNS && (!spec->uid_map || !spec->gid_map)) return "no id maps for the user namespace";
  return NULL;
}
