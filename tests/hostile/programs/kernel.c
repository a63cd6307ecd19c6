/* Interfaces that change, extend or look into the kernel. */
#include "escape.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <sys/personality.h>
#include <sys/swap.h>
#include <sys/timex.h>
#include <time.h>

#define ADD_KEY_SESSION -3
#define KEYCTL_JOIN_SESSION 1

static void add_key(char **args) {
  (void)args;
  judge(syscall(SYS_add_key, "user", "escape", "x", 1, ADD_KEY_SESSION), "add_key");
}

static void request_key(char **args) {
  (void)args;
  judge(syscall(SYS_request_key, "user", "escape", NULL, ADD_KEY_SESSION), "request_key");
}

static void keyctl(char **args) {
  (void)args;
  judge(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION, NULL), "keyctl");
}

static void io_uring(char **args) {
  (void)args;
  unsigned char parameters[120] = {0};
  judge(syscall(SYS_io_uring_setup, 1, parameters), "io_uring_setup");
}

static void bpf_map(char **args) {
  (void)args;
  union bpf_attr attributes = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
  judge(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes), "bpf map");
}

static void perf_event(char **args) {
  (void)args;
  struct perf_event_attr attributes = {
      .type = PERF_TYPE_SOFTWARE, .size = sizeof attributes, .config = PERF_COUNT_SW_CPU_CLOCK, .exclude_kernel = 1};
  judge(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0), "perf_event_open");
}

static void userfaultfd(char **args) {
  (void)args;
  must_fail(syscall(SYS_userfaultfd, O_CLOEXEC), "userfaultfd");
  must_fail(syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* UFFD_USER_MODE_ONLY */), "userfaultfd, user mode only");
  must_fail(open("/dev/userfaultfd", O_RDWR | O_CLOEXEC), "/dev/userfaultfd");
  all_refused("userfaultfd");
}

static void kexec(char **args) {
  (void)args;
  must_fail(syscall(SYS_kexec_load, 0L, 0L, NULL, 0L), "kexec_load");
  must_fail(syscall(SYS_kexec_file_load, -1, -1, 0L, NULL, 0L), "kexec_file_load");
  all_refused("kexec");
}

static void modules(char **args) {
  (void)args;
  must_fail(syscall(SYS_init_module, "", 0L, ""), "init_module");
  must_fail(syscall(SYS_finit_module, -1, "", 0), "finit_module");
  must_fail(syscall(SYS_delete_module, "escape", O_NONBLOCK), "delete_module");
  all_refused("kernel modules");
}

static void file_handle(char **args) {
  (void)args;
  struct {
    struct file_handle head;
    unsigned char bytes[MAX_HANDLE_SZ];
  } handle = {.head = {.handle_bytes = MAX_HANDLE_SZ}};
  int mount_id;
  must_fail(syscall(SYS_name_to_handle_at, AT_FDCWD, "/", &handle, &mount_id, 0), "name_to_handle_at");
  all_refused("name_to_handle_at");
}

/* The handle of inode 2, which is the root of an ext4 file system, whatever part of it is mounted here. */
static void open_handle(char **args) {
  (void)args;
  struct {
    struct file_handle head;
    unsigned int inode, generation;
  } handle = {.head = {.handle_bytes = 8, .handle_type = 1}, .inode = 2};
  int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  judge(syscall(SYS_open_by_handle_at, root, &handle, O_RDONLY), "open_by_handle_at of inode 2");
}

static void swap(char **args) {
  (void)args;
  must_fail(swapon("/tmp", 0), "swapon");
  must_fail(swapoff("/tmp"), "swapoff");
  all_refused("swapon and swapoff");
}

static void restart(char **args) {
  (void)args;
  /* Of the commands, the one that does no harm when it works. */
  judge(syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_OFF, NULL), "reboot");
}

static void clocks(char **args) {
  (void)args;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  must_fail(syscall(SYS_clock_settime, CLOCK_REALTIME, &now), "clock_settime");
  struct timeval same = {now.tv_sec, now.tv_nsec / 1000};
  must_fail(syscall(SYS_settimeofday, &same, NULL), "settimeofday");
  struct timex tick = {.modes = ADJ_TICK, .tick = 10000};
  must_fail(syscall(SYS_adjtimex, &tick), "adjtimex");
  must_fail(syscall(SYS_clock_adjtime, CLOCK_REALTIME, &tick), "clock_adjtime");
  all_refused("setting the clock");
}

static void personalities(char **args) {
  (void)args;
  must_fail(syscall(SYS_personality, (unsigned long)ADDR_NO_RANDOMIZE), "personality(ADDR_NO_RANDOMIZE)");
  must_fail(syscall(SYS_personality, (unsigned long)READ_IMPLIES_EXEC), "personality(READ_IMPLIES_EXEC)");
  must_fail(syscall(SYS_personality, (unsigned long)MMAP_PAGE_ZERO), "personality(MMAP_PAGE_ZERO)");
  all_refused("personality");
}

static void kernel_log(char **args) {
  (void)args;
  char text[64];
  judge(syscall(SYS_syslog, 3 /* SYSLOG_ACTION_READ_ALL */, text, (int)sizeof text), "reading the kernel log");
}

static void administration(char **args) {
  (void)args;
  must_fail(syscall(SYS_sethostname, "escape", 6L), "sethostname");
  must_fail(syscall(SYS_setdomainname, "escape", 6L), "setdomainname");
  must_fail(syscall(SYS_acct, "/tmp/escape-acct"), "acct");
  must_fail(syscall(SYS_quotactl, 0, NULL, 0, NULL), "quotactl");
  must_fail(syscall(SYS_vhangup), "vhangup");
  all_refused("sethostname, setdomainname, acct, quotactl, vhangup");
}

static void watch_everything(char **args) {
  (void)args;
  judge(syscall(SYS_fanotify_init, 0x200 /* FAN_REPORT_FID */, O_RDONLY), "fanotify_init");
}

const struct attempt kernel_attempts[] = {
    {"add-key", "add_key(2): keyrings are shared with the host", "EPERM ENOSYS", add_key, 0},
    {"request-key", "request_key(2)", "EPERM ENOSYS", request_key, 0},
    {"keyctl", "keyctl(2)", "EPERM ENOSYS", keyctl, 0},
    {"io-uring", "io_uring_setup(2): system calls without a filter", "ENOSYS EPERM", io_uring, 0},
    {"bpf", "bpf(2)", "EPERM", bpf_map, 0},
    {"perf-event", "perf_event_open(2)", "EPERM", perf_event, 0},
    {"userfaultfd", "userfaultfd(2) and its device", "EPERM", userfaultfd, 0},
    {"kexec", "kexec_load(2), kexec_file_load(2)", "EPERM", kexec, 0},
    {"modules", "init_module(2), finit_module(2), delete_module(2)", "EPERM", modules, 0},
    {"name-to-handle", "name_to_handle_at(2)", "EOPNOTSUPP EPERM", file_handle, 0},
    {"open-by-handle", "open_by_handle_at(2) of a file system's root", "EPERM", open_handle, 0},
    {"swap", "swapon(2), swapoff(2)", "EPERM", swap, 0},
    {"reboot", "reboot(2)", "EPERM", restart, 0},
    {"clocks", "setting or slewing the machine's clock", "EPERM", clocks, 0},
    {"personality", "personality(2) that weakens the address space", "EPERM", personalities, 0},
    {"kernel-log", "syslog(2)", "EPERM", kernel_log, 0},
    {"administration", "host name, accounting, quotas, hang-up", "EPERM", administration, 0},
    {"fanotify", "fanotify_init(2)", "EPERM", watch_everything, 0},
    {0},
};
