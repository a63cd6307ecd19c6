/*
 * The launcher: the only native and the only privileged code of OpenShell. It takes one complete
 * specification (PROTOCOL.md), builds exactly that boundary and reports what happened. It decides nothing.
 */
#ifndef LAUNCHER_H
#define LAUNCHER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CONTROL_FD = 3, HANDLE_FD = 4 };

/* ---- specification (spec.c) ---- */

enum {
  MAX_SPEC = 8 << 20,
  MAX_MOUNTS = 1024,
  MAX_IDMAPS = 32,
  MAX_LISTENERS = 8,
  MAX_NETLINKS = 8,
  MAX_RLIMITS = 16,
  MAX_RULES = 1024,
  MAX_GROUPS = 64,
};

enum flags { F_USERNS = 1, F_PTY0 = 2, F_PTY1 = 4, F_PTY2 = 8, F_HOLD = 16, F_KNOWN = 31 };
#define F_PTY (F_PTY0 | F_PTY1 | F_PTY2)

enum mount_kind { M_DIR = 1, M_SYMLINK, M_FILE, M_BIND, M_TMPFS, M_PROC, M_DEVPTS, M_SEAL };
enum mount_flag { MF_READONLY = 1, MF_NOEXEC = 2, MF_DEVICE = 4, MF_KNOWN = 7 };

struct mount_item {
  uint32_t kind, flags, mode, idmap; /* idmap: 1-based, 0 for none */
  const char *source, *target;
  const uint8_t *data; /* M_FILE: its content */
  uint32_t data_size;
};

struct listener_item {
  uint32_t datagram, ipv6, port, transparent;
  uint8_t address[16];
  const char *name;
};

struct netlink_item {
  uint32_t protocol, required, last_sequence, size;
  const char *name;
  const uint8_t *bytes;
};

struct landlock_rule {
  uint64_t access;
  const char *path;
};

struct spec {
  uint32_t flags, uid, gid, rows, columns;
  uint32_t groups[MAX_GROUPS], group_count;
  const char *uid_map, *gid_map, *hostname, *base, *cwd;
  char **argv, **env;
  struct mount_item mounts[MAX_MOUNTS];
  uint32_t mount_count;
  struct { const char *uid_map, *gid_map; } idmaps[MAX_IDMAPS];
  uint32_t idmap_count;
  struct listener_item listeners[MAX_LISTENERS];
  uint32_t listener_count;
  struct netlink_item netlinks[MAX_NETLINKS];
  uint32_t netlink_count;
  struct { uint32_t resource; uint64_t soft, hard; } rlimits[MAX_RLIMITS];
  uint32_t rlimit_count;
  struct { uint64_t fs, net, scoped; uint32_t size, restrict_flags; } landlock;
  struct landlock_rule rules[MAX_RULES];
  uint32_t rule_count;
  const uint8_t *seccomp;
  uint32_t seccomp_size;
};

/* Parses the records in data[0..size). Returns NULL, or what is wrong with them. Keeps pointers into data. */
const char *spec_parse(struct spec *spec, uint8_t *data, size_t size);

/* ---- reports from the sandbox's side to the monitor (report.c) ---- */

enum report_type { R_READY = 'R', R_STARTED = 'S', R_FAILED = 'F', R_EXIT = 'X', R_STOPPED = 'T', R_NOTE = 'N' };
enum order_type { O_GO_ON = 'G', O_RUN = 'r', O_SIGNAL = 's' };

struct report {
  int32_t type, a, b; /* R_FAILED: a = errno; R_STARTED: a = pid; R_EXIT: a = code, b = signal; O_SIGNAL: a = signal */
  char step[32];
  char detail[220];
};

int report_send(int fd, int type, int a, int b, const int *fds, int fd_count);
/* Names the step that failed with the present errno, and ends the process. */
_Noreturn void fail(const char *step, const char *detail);
/* Reports something that is missing and not needed. */
void note(const char *step, const char *detail);
extern int fail_fd;
ssize_t report_receive(int fd, struct report *report, int *fds, int *fd_count);
int send_with_fds(int socket, const void *data, size_t size, const int *fds, int fd_count);
int write_all(int fd, const void *data, size_t size);
int write_file(const char *path, const char *text);

/* ---- the steps ---- */

int network_bring_up(const struct spec *spec);   /* net.c: returns how many listeners were handed out */
int network_diagnostics(void);                   /* net.c: a sock_diag socket of this network namespace */
int netlink_apply(const struct netlink_item *item); /* net.c: 0, or -1 with errno */
void mounts_build(const struct spec *spec, const int *idmap_fds); /* mounts.c: new root, pivot_root */
int idmap_namespace(const char *uid_map, const char *gid_map);    /* mounts.c: a user namespace's descriptor */
_Noreturn void init_run(const struct spec *spec, int monitor, const int *idmap_fds); /* init.c */
_Noreturn void workload_run(const struct spec *spec, int go, int tty); /* workload.c: steps 5 to 7 and execve */
void drop_privileges(const struct spec *spec);                         /* workload.c */
void who(char *line, int proc_fd, int diag_fd);                        /* identity.c: answers one question on CONTROL_FD */
int probe(const struct spec *spec);                                                     /* probe.c */
long landlock_abi(void); /* probe.c: 0 where there is none */

/* ---- the terminal between the caller and the sandbox (terminal.c) ---- */

void terminal_start(uint32_t flags, int master);
void terminal_raw(void);     /* also after the caller's shell continued us */
void terminal_restore(void);
void terminal_resize(int rows, int columns); /* 0, 0: as the caller's terminal is */
struct pollfd;
void terminal_wait(struct pollfd *waits); /* fills two entries */
void terminal_pump(const struct pollfd *waits);
void terminal_drain(void);

#endif
