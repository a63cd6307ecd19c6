/* Other processes: reading, steering, killing, exhausting. */
#include "escape.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

static void open_each(const char *directory, const char *const *files, int flags) {
  for (; *files; files++) {
    char path[128];
    snprintf(path, sizeof path, "%s%s", directory, *files);
    int fd = open(path, flags | O_CLOEXEC);
    if (fd >= 0) escaped("opened %s", path);
    must_fail(-1, path);
  }
}

static void init_secrets(char **args) {
  (void)args;
  static const char *const files[] = {"mem",  "environ", "maps", "auxv",    "io",          "fd",      "root/etc",
                                      "cwd/", "stack",   "exe",  "syscall", "map_files/", "pagemap", NULL};
  open_each("/proc/1/", files, O_RDONLY);
  char target[256];
  static const char *const links[] = {"/proc/1/exe", "/proc/1/root", "/proc/1/cwd", "/proc/1/ns/net"};
  for (size_t i = 0; i < sizeof links / sizeof *links; i++)
    must_fail(readlink(links[i], target, sizeof target), links[i]);
  all_refused("memory, environment, descriptors and roots of pid 1");
}

static void init_memory(char **args) {
  (void)args;
  judge(open("/proc/1/mem", O_RDWR | O_CLOEXEC), "opening /proc/1/mem for writing");
}

/*
 * Writing into a program that it started itself would lend it that program's identity. ptrace access is there (same
 * user, own child), so it is Landlock that refuses: /proc is readable and nothing more.
 */
static void child_memory(char **args) {
  (void)args;
  int hold[2];
  if (pipe2(hold, O_CLOEXEC)) unsupported("pipe: %s", strerror(errno));
  pid_t child = fork();
  if (child == 0) {
    char byte;
    close(hold[1]);
    _exit(read(hold[0], &byte, 1) < 0);
  }
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/mem", child);
  int writing = open(path, O_RDWR | O_CLOEXEC), error = errno;
  close(hold[1]);
  waitpid(child, NULL, 0);
  errno = error;
  must_fail(writing, path);
  must_fail(open("/proc/self/mem", O_RDWR | O_CLOEXEC), "/proc/self/mem");
  all_refused("writing into the memory of a child, and its own");
}

/* Looks in everything that /proc shows for a text that only processes outside have in their command lines. */
static void host_processes(char **args) {
  const char *marker = argument(args, "a text in a host process's command line");
  DIR *proc = opendir("/proc");
  if (!proc) refused_errno(errno, "/proc");
  for (struct dirent *entry; (entry = readdir(proc));) {
    int pid = atoi(entry->d_name);
    if (pid <= 0 || pid == getpid()) continue;
    char path[300], line[4096] = {0};
    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    ssize_t got = read(fd, line, sizeof line - 1);
    close(fd);
    for (ssize_t i = 0; i < got; i++)
      if (!line[i]) line[i] = ' ';
    if (pid != getppid() && strstr(line, marker)) escaped("pid %d of the host is visible: %s", pid, line);
  }
  closedir(proc);
  refused("INVISIBLE", "no host process in /proc");
}

static void kernel_files(char **args) {
  (void)args;
  static const char *const readable[] = {"/proc/kcore",   "/proc/kpagecount", "/proc/vmallocinfo", "/dev/mem",
                                         "/dev/kmem",     "/dev/port",        "/dev/kmsg",         "/proc/kmsg",
                                         "/proc/slabinfo", "/proc/kpageflags", NULL};
  open_each("", readable, O_RDONLY);
  all_refused("kernel memory and log files");
}

static void kernel_settings(char **args) {
  (void)args;
  static const char *const writable[] = {"/proc/sysrq-trigger",
                                         "/proc/sys/kernel/core_pattern",
                                         "/proc/sys/kernel/hostname",
                                         "/proc/sys/kernel/modprobe",
                                         "/proc/sys/kernel/randomize_va_space",
                                         "/proc/sys/kernel/yama/ptrace_scope",
                                         "/proc/sys/vm/memfd_noexec",
                                         "/proc/sys/vm/overcommit_memory",
                                         "/proc/sys/fs/binfmt_misc/register",
                                         "/proc/sys/net/ipv4/ip_forward",
                                         "/proc/sys/net/ipv4/ping_group_range",
                                         "/proc/sys/net/ipv4/ip_unprivileged_port_start",
                                         "/proc/sys/user/max_user_namespaces",
                                         "/proc/irq/default_smp_affinity",
                                         "/proc/1/oom_score_adj",
                                         "/sys/kernel/uevent_helper",
                                         "/sys/power/state",
                                         "/sys/fs/cgroup/cgroup.procs",
                                         "/sys/fs/cgroup/release_agent",
                                         NULL};
  open_each("", writable, O_WRONLY);
  all_refused("writing kernel settings");
}

static void trace(char **args) {
  (void)args;
  must_fail(ptrace(PTRACE_ATTACH, 1, NULL, NULL), "PTRACE_ATTACH to the init");
  must_fail(ptrace(PTRACE_SEIZE, 1, NULL, NULL), "PTRACE_SEIZE of the init");
  must_fail(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL), "PTRACE_ATTACH to the parent");
  must_fail(ptrace(PTRACE_TRACEME, 0, NULL, NULL), "PTRACE_TRACEME");
  all_refused("ptrace of others and by others");
}

static void other_memory(char **args) {
  (void)args;
  char byte = 0;
  struct iovec here = {&byte, 1}, there = {(void *)0x10000, 1};
  pid_t self = getpid();
  must_fail(process_vm_readv(1, &here, 1, &there, 1, 0), "process_vm_readv of the init");
  must_fail(process_vm_writev(1, &here, 1, &there, 1, 0), "process_vm_writev of the init");
  must_fail(process_vm_readv(self, &here, 1, &here, 1, 0), "process_vm_readv of itself");
  must_fail(syscall(SYS_kcmp, self, self, 0L, 0L, 0L), "kcmp");
  int fd = (int)syscall(SYS_pidfd_open, self, 0);
  must_fail(syscall(SYS_process_madvise, fd, &here, 1L, 4L, 0L), "process_madvise");
  all_refused("memory of other processes");
}

static void take_descriptor(char **args) {
  (void)args;
  static const int pids[] = {1, 0};
  for (size_t i = 0; i < sizeof pids / sizeof *pids; i++) {
    int fd = (int)syscall(SYS_pidfd_open, pids[i] ? pids[i] : getpid(), 0);
    if (fd < 0) {
      must_fail(-1, "pidfd_open");
      continue;
    }
    for (int number = 0; number < 16; number++) must_fail(syscall(SYS_pidfd_getfd, fd, number, 0), "pidfd_getfd");
    close(fd);
  }
  all_refused("descriptors of other processes");
}

static void wait_a_little(void) { nanosleep(&(struct timespec){0, 300 * 1000 * 1000}, NULL); }

/* When the init dies or stops, so do we: then there is no verdict, which the suite takes for an escape. */
static void signal_init(char **args) {
  (void)args;
  static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD, SIGPIPE, SIGALRM,
                                SIGSEGV, SIGABRT, SIGTSTP, SIGSTOP, SIGKILL};
  int delivered = 0, error = 0;
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
    signal(signals[i], SIG_IGN); /* an init that forwards would send it to us */
    if (kill(1, signals[i]) == 0) delivered++;
    else error = errno;
  }
  wait_a_little();
  FILE *stat = fopen("/proc/1/stat", "re");
  char state = 0;
  if (stat && fscanf(stat, "%*d (%*[^)]) %c", &state) != 1) state = 0;
  if (stat) fclose(stat);
  if (state == 'T' || state == 'Z' || state == 'X') escaped("the init is in state %c", state);
  if (!delivered) refused_errno(error, "fourteen signals to the init");
  refused("SURVIVED", "the init took the signals and runs");
}

static void kill_all(char **args) {
  (void)args;
  long result = kill(-1, SIGKILL);
  int error = errno;
  wait_a_little();
  if (result) refused_errno(error, "kill of every process");
  refused("CONTAINED", "killed what the sandbox holds; the suite looks at the host");
}

/* Children end when the pipe's last writer is gone, so nothing stays behind even if this process is killed. */
static void fork_bomb(char **args) {
  int limit = args[0] ? atoi(args[0]) : 20000;
  int hold[2], children = 0, error = 0;
  if (pipe2(hold, O_CLOEXEC)) unsupported("pipe: %s", strerror(errno));
  for (; children < limit; children++) {
    pid_t child = fork();
    if (child == 0) {
      char byte;
      close(hold[1]);
      _exit(read(hold[0], &byte, 1) < 0);
    }
    if (child < 0) {
      error = errno;
      break;
    }
  }
  close(hold[1]);
  while (wait(NULL) > 0 || errno == EINTR) continue;
  if (!error) escaped("%d processes at once", children);
  char detail[64];
  snprintf(detail, sizeof detail, "after %d processes", children);
  refused_errno(error, detail);
}

static void priorities(char **args) {
  (void)args;
  must_fail(setpriority(PRIO_PROCESS, 0, -10), "a negative nice value");
  must_fail(setpriority(PRIO_PROCESS, 1, 19), "the init's nice value");
  struct {
    int priority;
  } realtime = {1};
  must_fail(syscall(SYS_sched_setscheduler, 0, 1 /* SCHED_FIFO */, &realtime), "SCHED_FIFO");
  must_fail(syscall(SYS_sched_setscheduler, 1, 3 /* SCHED_BATCH */, &(int){0}), "the init's scheduler");
  must_fail(syscall(SYS_ioprio_set, 1, 0, 1 << 13 | 0), "real-time I/O priority");
  all_refused("raising priorities");
}

const struct attempt process_attempts[] = {
    {"proc-init", "/proc/1: memory, environment, descriptors, root", "EACCES EPERM ENOENT", init_secrets, 0},
    {"proc-init-mem", "/proc/1/mem for writing", "EACCES EPERM ENOENT", init_memory, 0},
    {"proc-child-mem", "/proc/PID/mem of its own child for writing", "EACCES EROFS EPERM", child_memory, 0},
    {"proc-host", "host processes in /proc (argument: text of a command line)", "INVISIBLE", host_processes, 0},
    {"kernel-files", "/proc/kcore, /dev/mem, /dev/kmsg and the like", "EACCES EPERM ENOENT", kernel_files, 0},
    {"kernel-settings", "sysctl, sysrq, cgroup and sysfs files", "EACCES EPERM EROFS ENOENT", kernel_settings, 1},
    {"ptrace", "ATTACH and SEIZE of pid 1, of the parent, TRACEME", "EPERM", trace, 0},
    {"other-memory", "process_vm_readv(2), process_vm_writev(2), kcmp(2), process_madvise(2)", "EPERM", other_memory, 0},
    {"pidfd-getfd", "taking descriptors from pid 1", "EPERM", take_descriptor, 0},
    {"signal-init", "every signal to pid 1", "EPERM SURVIVED", signal_init, 1},
    {"kill-all", "kill(-1, SIGKILL)", "ESRCH EPERM CONTAINED", kill_all, 1},
    {"fork-bomb", "processes without end (argument: how many, 20000 unless told)", "EAGAIN ENOMEM", fork_bomb, 1},
    {"priorities", "nice values, real-time scheduling and I/O", "EPERM EACCES", priorities, 0},
    {0},
};
