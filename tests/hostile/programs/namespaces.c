/* New namespaces, and other people's. */
#include "escape.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static const struct {
  const char *name, *file;
  unsigned long flag;
} kinds[] = {
    {"user", "user", CLONE_NEWUSER}, {"mount", "mnt", CLONE_NEWNS},        {"pid", "pid", CLONE_NEWPID},
    {"net", "net", CLONE_NEWNET},    {"ipc", "ipc", CLONE_NEWIPC},         {"uts", "uts", CLONE_NEWUTS},
    {"time", "time", CLONE_NEWTIME}, {"cgroup", "cgroup", CLONE_NEWCGROUP},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void unshare_each(char **args) {
  (void)args;
  for (int i = 0; i < KINDS; i++) {
    must_fail(syscall(SYS_unshare, kinds[i].flag), kinds[i].name);
    must_fail(syscall(SYS_unshare, kinds[i].flag | CLONE_NEWUSER), kinds[i].name);
  }
  all_refused("unshare of every namespace");
}

static void clone_each(char **args) {
  (void)args;
  for (int i = 0; i < KINDS; i++) {
    if (kinds[i].flag == CLONE_NEWTIME) continue; /* that bit is part of the exit signal in clone(2) */
    pid_t child = (pid_t)syscall(SYS_clone, kinds[i].flag | SIGCHLD, 0L, 0L, 0L, 0L);
    if (child == 0) _exit(0);
    int error = errno;
    if (child > 0) waitpid(child, NULL, 0);
    errno = error;
    must_fail(child, kinds[i].name);
  }
  all_refused("clone into every new namespace");
}

static void clone3_user(char **args) {
  (void)args;
  struct {
    unsigned long long flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
  } clone_args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
  pid_t child = (pid_t)syscall(SYS_clone3, &clone_args, sizeof clone_args);
  if (child == 0) _exit(0);
  int error = errno;
  if (child > 0) waitpid(child, NULL, 0);
  errno = error;
  judge(child, "clone3 with CLONE_NEWUSER");
}

static void enter(const char *directory) {
  for (int i = 0; i < KINDS; i++) {
    char path[64];
    snprintf(path, sizeof path, "%s/%s", directory, kinds[i].file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      must_fail(-1, path);
      continue;
    }
    must_fail(syscall(SYS_setns, fd, 0), path);
    close(fd);
  }
}

static void setns_init(char **args) {
  (void)args;
  enter("/proc/1/ns");
  all_refused("setns into the init's namespaces");
}

static void setns_own(char **args) {
  (void)args;
  enter("/proc/self/ns");
  all_refused("setns into its own namespaces");
}

static void setns_pidfd(char **args) {
  (void)args;
  int fd = (int)syscall(SYS_pidfd_open, 1, 0);
  if (fd < 0) refused_errno(errno, "pidfd_open of the init");
  for (int i = 0; i < KINDS; i++) must_fail(syscall(SYS_setns, fd, kinds[i].flag), kinds[i].name);
  all_refused("setns through a pidfd of the init");
}

const struct attempt namespace_attempts[] = {
    {"unshare", "unshare(2) of each namespace, alone and with a user namespace", "EPERM", unshare_each, 0},
    {"clone-namespaces", "clone(2) with each CLONE_NEW flag", "EPERM", clone_each, 0},
    {"clone3", "clone3(2), whose flags a filter cannot see", "ENOSYS", clone3_user, 0},
    {"setns-init", "setns(2) into the namespaces of pid 1", "EACCES EPERM ENOENT", setns_init, 0},
    {"setns-own", "setns(2) at all", "EPERM", setns_own, 0},
    {"setns-pidfd", "setns(2) with a pidfd of pid 1", "EPERM", setns_pidfd, 0},
    {0},
};
