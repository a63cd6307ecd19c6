/* Ways around the filter itself: other entries into the kernel, other numbers, other filters. */
#include "escape.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#if defined(__x86_64__)
/* Runs call() in a child; it exits with 1 when the kernel did what was asked, with 0 when not. */
static void in_child(int (*call)(void), const char *detail) {
  pid_t child = fork();
  if (child < 0) unsupported("fork: %s", strerror(errno));
  if (child == 0) _exit(call());
  int status;
  if (waitpid(child, &status, 0) < 0) unsupported("waitpid: %s", strerror(errno));
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) refused("SIGSYS", detail);
  if (WIFSIGNALED(status)) refused("SIGNAL", strsignal(WTERMSIG(status)));
  if (WEXITSTATUS(status)) escaped("%s reached the kernel", detail);
  refused("ENOSYS", detail);
}

/* getpid by the 32-bit table (number 20) through the 32-bit gate. */
static int getpid_int80(void) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
  return result > 0;
}

static void int80(char **args) {
  (void)args;
  in_child(getpid_int80, "a 32-bit system call by int 0x80");
}

static int getpid_x32(void) { return syscall(0x40000000 | SYS_getpid) > 0; }

static void x32(char **args) {
  (void)args;
  in_child(getpid_x32, "an x32 system call");
}
#else
static void int80(char **args) {
  (void)args;
  unsupported("there is no int 0x80 on this architecture");
}

static void x32(char **args) {
  (void)args;
  unsupported("there is no x32 on this architecture");
}
#endif

static void unknown_numbers(char **args) {
  (void)args;
  for (long number = 470; number < 1024; number++) {
    errno = 0;
    long result = syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
    if (result != -1 || errno != ENOSYS) escaped("system call %ld answered %ld, errno %d", number, result, errno);
  }
  refused("ENOSYS", "numbers 470 to 1023");
}

static struct sock_filter allow_all[] = {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
static struct sock_fprog allowing = {1, allow_all};

static void listener(char **args) {
  (void)args;
  judge(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &allowing),
        "a seccomp listener of its own");
}

/* A permissive filter on top is permitted and must change nothing. */
static void permissive(char **args) {
  (void)args;
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &allowing) && prctl(PR_SET_SECCOMP, 2, &allowing))
    refused_errno(errno, "a second filter");
  judge(syscall(SYS_unshare, 0x10000000L), "unshare after an allow-all filter");
}

static void change_executable(char **args) {
  (void)args;
  int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  must_fail(prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, fd, 0, 0), "PR_SET_MM_EXE_FILE");
  struct prctl_mm_map map = {.exe_fd = (unsigned)fd};
  must_fail(prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0), "PR_SET_MM_MAP");
  all_refused("changing /proc/self/exe");
}

/* A copy of /proc/self/exe in an anonymous file. */
static int memory_program(unsigned flags) {
  int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (from < 0) unsupported("/proc/self/exe: %s", strerror(errno));
  int to = (int)syscall(SYS_memfd_create, "escape", flags);
  if (to < 0) return -1;
  char block[65536];
  for (ssize_t n; (n = read(from, block, sizeof block)) > 0;)
    if (write(to, block, (size_t)n) != n) unsupported("memfd: %s", strerror(errno));
  close(from);
  return to;
}

#define NOEXEC_SETTING "/proc/sys/vm/memfd_noexec"
static char *const quiet_arguments[] = {"escape", "--raised", NULL};

enum road { BY_DESCRIPTOR, BY_PROC };

/* Runs the anonymous file in a child. 0 when it ran, else -1 and errno. */
static int run_memory_program(unsigned flags, enum road road) {
  int fd = memory_program(flags);
  if (fd < 0) return -1;
  fchmod(fd, 0700);
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  pid_t child = fork();
  if (child == 0) {
    if (road == BY_DESCRIPTOR) syscall(SYS_execveat, fd, "", quiet_arguments, NULL, AT_EMPTY_PATH);
    else execve(path, quiet_arguments, NULL);
    _exit(errno);
  }
  close(fd);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) < 0) unsupported("fork: %s", strerror(errno));
  errno = WEXITSTATUS(status);
  return errno == 0 ? 0 : -1;
}

static int memory_programs_forbidden(void) {
  FILE *setting = fopen(NOEXEC_SETTING, "re");
  int value = 0;
  if (setting && fscanf(setting, "%d", &value) != 1) value = 0;
  if (setting) fclose(setting);
  return value == 2;
}

static const unsigned memory_kinds[] = {0, 0x10 /* MFD_EXEC */};
enum { MEMORY_KINDS = sizeof memory_kinds / sizeof *memory_kinds };

static void memfd_execveat(char **args) {
  (void)args;
  for (int i = 0; i < MEMORY_KINDS; i++)
    must_fail(run_memory_program(memory_kinds[i], BY_DESCRIPTOR), "execveat of a memfd");
  all_refused("execveat of a memfd with AT_EMPTY_PATH");
}

/*
 * Only vm.memfd_noexec=2 (Linux 6.3, one for each pid namespace, root's to set) can refuse this. Without it the
 * program runs, under a name that no policy can contain: then identity is what holds.
 */
static void memfd_path(char **args) {
  (void)args;
  for (int i = 0; i < MEMORY_KINDS; i++) {
    int result = run_memory_program(memory_kinds[i], BY_PROC), error = errno;
    if (result == 0 && !memory_programs_forbidden()) unsupported("vm.memfd_noexec is not 2 here");
    errno = error;
    must_fail(result, "execve of a memfd through /proc/self/fd");
  }
  all_refused("execve of a memfd through /proc/self/fd");
}

const struct attempt abi_attempts[] = {
    {"int80", "a 32-bit system call from a 64-bit program", "SIGSYS ENOSYS", int80, 0},
    {"x32", "an x32 system call", "ENOSYS SIGSYS", x32, 0},
    {"unknown-syscalls", "system calls newer than the sandbox", "ENOSYS", unknown_numbers, 0},
    {"seccomp-listener", "a user-notification listener", "EPERM", listener, 0},
    {"seccomp-permissive", "a permissive filter, then a refused call", "EPERM", permissive, 0},
    {"change-executable", "PR_SET_MM on what /proc says the program is", "EPERM", change_executable, 0},
    {"memfd-execveat", "execveat(2) of an anonymous file", "EPERM EACCES", memfd_execveat, 0},
    {"memfd-exec-path", "execve(2) of an anonymous file through /proc/self/fd", "EACCES", memfd_path, 0},
    {0},
};
