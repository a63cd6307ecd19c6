/* The workload's last steps (isolation design, 5 to 7): session, identity, limits, Landlock, seccomp, execve. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Landlock system calls have had these numbers on every architecture since 5.13. */
enum { LANDLOCK_CREATE = 444, LANDLOCK_ADD_RULE = 445, LANDLOCK_RESTRICT = 446, RULE_PATH_BENEATH = 1 };

static int landlock_ruleset(const struct spec *s) {
  if (!s->landlock.size) return -1;
  uint64_t attributes[3] = {s->landlock.fs, s->landlock.net, s->landlock.scoped};
  int ruleset = (int)syscall(LANDLOCK_CREATE, attributes, (size_t)s->landlock.size, 0);
  if (ruleset < 0) fail("landlock ruleset", NULL);
  for (uint32_t i = 0; i < s->rule_count; i++) {
    struct __attribute__((packed)) { uint64_t access; int32_t parent; } rule = {s->rules[i].access, -1};
    rule.parent = open(s->rules[i].path, O_PATH | O_CLOEXEC);
    if (rule.parent < 0 || syscall(LANDLOCK_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0)) fail("landlock rule", s->rules[i].path);
    close(rule.parent);
  }
  return ruleset;
}

static void drop_capability_sets(void) {
  /* Securebits keep a later uid 0 from meaning anything; refused only where they are locked already. */
  prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED);
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)) fail("ambient capabilities", NULL);
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
    if (prctl(PR_CAPBSET_DROP, capability)) fail("bounding set", NULL);
}

void drop_privileges(const struct spec *s) {
  drop_capability_sets();
  gid_t groups[MAX_GROUPS];
  for (uint32_t i = 0; i < s->group_count; i++) groups[i] = s->groups[i];
  /* Inside a user namespace without a helper setgroups is denied, and the groups are the caller's. */
  if (!(s->flags & F_USERNS) && setgroups(s->group_count, groups)) fail("supplementary groups", NULL);
  if (setresgid(s->gid, s->gid, s->gid)) fail("group", NULL);
  if (setresuid(s->uid, s->uid, s->uid)) fail("user", NULL);
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[2] = {0}, now[2];
  if (syscall(SYS_capset, &header, none)) fail("capabilities", NULL);
  if (syscall(SYS_capget, &header, now)) fail("capabilities", NULL);
  uint32_t left = 0;
  for (int i = 0; i < 2; i++) left |= now[i].effective | now[i].permitted | now[i].inheritable;
  errno = 0;
  if (left || setresuid(0, 0, 0) == 0 || prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) != 0) fail("proof that privileges are gone", NULL);
  if (prctl(PR_SET_DUMPABLE, 0)) fail("dumpable", NULL);
}

static void limit(const struct spec *s) {
  for (uint32_t i = 0; i < s->rlimit_count; i++) {
    struct rlimit limit = {s->rlimits[i].soft, s->rlimits[i].hard};
    char number[16];
    snprintf(number, sizeof number, "%u", s->rlimits[i].resource);
    if (setrlimit((int)s->rlimits[i].resource, &limit)) fail("resource limit", number);
  }
}

static void session(const struct spec *s, int tty) {
  if (!(s->flags & F_PTY)) {
    if (setsid() < 0) fail("session", NULL);
    return;
  }
  /* The init leads the session and stays in it, so this group is never orphaned and job control works. */
  if (setpgid(0, 0) || tcsetpgrp(tty, getpid())) fail("foreground group", NULL);
  for (int fd = 0; fd < 3; fd++)
    if (s->flags & (F_PTY0 << fd) && dup2(tty, fd) < 0) fail("terminal", NULL);
}

/* A directory would be a way around the new root: openat(0, "..") knows nothing of it. */
static void check_streams(void) {
  struct stat info;
  for (int fd = 0; fd < 3; fd++)
    if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) errno = EISDIR, fail("standard stream", fd == 0 ? "input" : "output");
}

/* As execvp and a shell do: PATH, a script without #! goes to /bin/sh. */
static void execute(const char *path, const struct spec *s) {
  execve(path, s->argv, s->env);
  if (errno != ENOEXEC) return;
  size_t count = 0;
  while (s->argv[count]) count++;
  char **argv = calloc(count + 2, sizeof *argv);
  if (!argv) return;
  argv[0] = "sh", argv[1] = (char *)path;
  for (size_t i = 1; i < count; i++) argv[i + 1] = s->argv[i];
  execve("/bin/sh", argv, s->env);
}

static const char *search_path(char **env) {
  for (; *env; env++)
    if (strncmp(*env, "PATH=", 5) == 0) return *env + 5;
  return "/usr/local/bin:/usr/bin:/bin";
}

static _Noreturn void execute_command(const struct spec *s) {
  const char *name = s->argv[0];
  if (strchr(name, '/')) {
    execute(name, s);
    fail("exec", name);
  }
  int seen = ENOENT;
  for (const char *at = search_path(s->env); at && name[0];) {
    const char *end = strchrnul(at, ':');
    char path[4096];
    snprintf(path, sizeof path, "%.*s/%s", end > at ? (int)(end - at) : 1, end > at ? at : ".", name);
    execute(path, s);
    if (errno != ENOENT && errno != ENOTDIR) seen = errno;
    at = *end ? end + 1 : NULL;
  }
  errno = seen;
  fail("exec", name);
}

void workload_run(const struct spec *s, int go, int tty) {
  int ruleset = landlock_ruleset(s);
  check_streams();
  session(s, tty);
  limit(s);
  drop_privileges(s);
  if (chdir(s->cwd)) fail("working directory", s->cwd);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) fail("no_new_privs", NULL);
  if (ruleset >= 0 && syscall(LANDLOCK_RESTRICT, ruleset, s->landlock.restrict_flags)) fail("landlock", NULL);
  /* Only the descriptors of the caller stay; the rest, ours, close at execve. */
  if (syscall(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */)) fail("descriptors", NULL);
  struct sock_fprog program = {(unsigned short)(s->seccomp_size / 8), (struct sock_filter *)s->seccomp};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)) fail("seccomp", NULL);
  char byte;
  ssize_t n;
  do n = read(go, &byte, 1);
  while (n < 0 && errno == EINTR);
  if (n != 1) _exit(125); /* the supervisor is gone */
  execute_command(s);
}
