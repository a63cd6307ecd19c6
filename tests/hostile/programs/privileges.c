/* Becoming somebody else, and limits. */
#include "escape.h"

#include <linux/capability.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#if defined(__x86_64__)
#include <sys/io.h>
#endif

static void identities(char **args) {
  (void)args;
  if (getuid() == 0 || geteuid() == 0) escaped("runs as user 0");
  if (getgid() == 0 || getegid() == 0) escaped("runs as group 0");
  must_fail(syscall(SYS_setuid, 0L), "setuid(0)");
  must_fail(syscall(SYS_setresuid, 0L, 0L, 0L), "setresuid(0)");
  must_fail(syscall(SYS_setreuid, 0L, 0L), "setreuid(0)");
  must_fail(syscall(SYS_setgid, 0L), "setgid(0)");
  must_fail(syscall(SYS_setresgid, 0L, 0L, 0L), "setresgid(0)");
  gid_t root = 0;
  must_fail(syscall(SYS_setgroups, 1L, &root), "setgroups");
  must_fail(syscall(SYS_setgroups, 0L, NULL), "setgroups to none");
  setfsuid(0);
  if (setfsuid((uid_t)-1) == 0) escaped("setfsuid(0) worked");
  setfsgid(0);
  if (setfsgid((gid_t)-1) == 0) escaped("setfsgid(0) worked");
  all_refused("becoming user or group 0");
}

static void capability_sets(char **args) {
  (void)args;
  static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    unsigned long long set = status_field(sets[i], 16);
    if (set) escaped("%s is %llx", sets[i], set);
  }
  refused("EMPTY", "inheritable, permitted, effective, bounding and ambient sets");
}

static void raise_capabilities(char **args) {
  (void)args;
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct all[2] = {{~0u, ~0u, ~0u}, {~0u, ~0u, ~0u}};
  must_fail(syscall(SYS_capset, &header, all), "capset of everything");
  struct __user_cap_data_struct inheritable[2] = {{0, 0, 1u << CAP_NET_RAW}, {0, 0, 0}};
  must_fail(syscall(SYS_capset, &header, inheritable), "capset of an inheritable one");
  must_fail(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0), "an ambient capability");
  must_fail(prctl(PR_SET_SECUREBITS, 1, 0, 0, 0), "securebits");
  all_refused("raising capabilities");
}

static void no_new_privs(char **args) {
  (void)args;
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) escaped("no_new_privs is not set");
  must_fail(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), "clearing no_new_privs");
  all_refused("no_new_privs is set and stays");
}

static void filter_mode(char **args) {
  (void)args;
  unsigned long long mode = status_field("Seccomp", 10);
  if (mode != 2) escaped("seccomp mode is %llu", mode);
  refused("FILTERED", "seccomp mode 2");
}

static void set_user_id(char **args) {
  const char *path = argument(args, "path of a set-user-ID copy of this program");
  pid_t child = fork();
  if (child == 0) {
    execl(path, path, "--raised", (char *)NULL);
    _exit(errno > 1 ? errno : 255);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) refused("SIGNAL", strsignal(WTERMSIG(status)));
  if (WEXITSTATUS(status) == 1) escaped("%s runs with its owner's identity", path);
  if (WEXITSTATUS(status) == 0) refused("NOTRAISED", "the set-user-ID bit is ignored");
  refused_errno(WEXITSTATUS(status), "running a set-user-ID program");
}

static void raise_limits(char **args) {
  (void)args;
  static const struct {
    int resource;
    const char *name;
  } limits[] = {{RLIMIT_CORE, "core"}, {RLIMIT_NPROC, "processes"}, {RLIMIT_NOFILE, "files"}, {RLIMIT_NICE, "nice"}};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    struct rlimit now;
    if (getrlimit(limits[i].resource, &now)) unsupported("getrlimit: %s", strerror(errno));
    if (now.rlim_max == RLIM_INFINITY) escaped("no limit of %s", limits[i].name);
    struct rlimit more = {now.rlim_cur, now.rlim_max + 1};
    must_fail(setrlimit(limits[i].resource, &more), limits[i].name);
  }
  struct rlimit none = {0, 0};
  must_fail(prlimit(1, RLIMIT_NOFILE, &none, NULL), "the init's limits");
  all_refused("raising limits");
}

/*
 * The limit may be 1: a core_pattern that begins with a pipe ignores the limit, except for exactly that value
 * (fs/coredump.c), and 1 byte is too little for a file as well.
 */
static void core_dump(char **args) {
  (void)args;
  struct rlimit core;
  if (getrlimit(RLIMIT_CORE, &core)) unsupported("getrlimit: %s", strerror(errno));
  if (core.rlim_max > 1) escaped("RLIMIT_CORE can be %llu", (unsigned long long)core.rlim_max);
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_DUMPABLE, 1);
    abort();
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WCOREDUMP(status)) escaped("a crash dumps core");
  refused("NOCORE", "a crash leaves no core");
}

static void ports(char **args) {
  (void)args;
#if defined(__x86_64__)
  must_fail(iopl(3), "iopl");
  must_fail(ioperm(0x80, 1, 1), "ioperm");
  all_refused("iopl and ioperm");
#else
  unsupported("there are no I/O ports on this architecture");
#endif
}

const struct attempt privilege_attempts[] = {
    {"identities", "setuid(2) and relatives to 0, setgroups(2)", "EPERM EINVAL", identities, 0},
    {"capability-sets", "all five capability sets", "EMPTY", capability_sets, 0},
    {"raise-capabilities", "capset(2), ambient set, securebits", "EPERM", raise_capabilities, 0},
    {"no-new-privs", "clearing no_new_privs", "EINVAL", no_new_privs, 0},
    {"seccomp-mode", "whether there is a filter at all", "FILTERED", filter_mode, 0},
    {"setuid-binary", "a set-user-ID program (argument: path of a copy of this one)", "NOTRAISED EACCES EPERM ENOENT",
     set_user_id, 0},
    {"raise-limits", "raising hard limits, changing the init's", "EPERM", raise_limits, 0},
    {"core-dump", "crashing with a core", "NOCORE", core_dump, 1},
    {"io-ports", "iopl(2), ioperm(2)", "EPERM ENOSYS", ports, 0},
    {0},
};
