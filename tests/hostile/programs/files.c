/* Files that are not the workload's. */
#include "escape.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define WORK "/tmp/escape-XXXXXX"

/* A file of its own in /tmp, whose path replaces WORK in the argument. */
static int own_file(char *path) {
  int fd = mkostemp(path, O_CLOEXEC);
  if (fd < 0) unsupported("no file in /tmp: %s", strerror(errno));
  return fd;
}

static void write_system(char **args) {
  (void)args;
  static const char *const existing[] = {"/etc/passwd", "/etc/resolv.conf", "/etc/hosts", "/bin/sh", "/usr/bin/env"};
  for (size_t i = 0; i < sizeof existing / sizeof *existing; i++)
    must_fail(open(existing[i], O_WRONLY | O_CLOEXEC), existing[i]);
  static const char *const fresh[] = {"/escape", "/usr/escape", "/etc/escape", "/usr/bin/escape", "/dev/escape",
                                      "/proc/escape", "/var/lib/escape", "/root/escape", "/run/escape"};
  for (size_t i = 0; i < sizeof fresh / sizeof *fresh; i++) {
    int fd = open(fresh[i], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int error = errno;
    if (fd >= 0) unlink(fresh[i]);
    errno = error;
    must_fail(fd, fresh[i]);
    must_fail(mkdir(fresh[i], 0700), fresh[i]);
  }
  all_refused("writing outside the writable paths");
}

/* Give it a file whose mode lets us write and whose policy does not: then only Landlock or the mount can refuse. */
static void truncate_file(char **args) {
  const char *path = args[0] ? args[0] : "/etc/passwd";
  struct stat now;
  if (stat(path, &now)) refused_errno(errno, path);
  must_fail(truncate(path, now.st_size), "truncate to the same size");
  must_fail(open(path, O_RDONLY | O_TRUNC | O_CLOEXEC), "O_TRUNC for reading");
  must_fail(open(path, O_WRONLY | O_APPEND | O_CLOEXEC), "appending");
  all_refused("changing a read-only file");
}

static void move_across(char **args) {
  (void)args;
  static const char *const targets[] = {"/usr/escape", "/etc/escape", "/escape", "/usr/bin/escape"};
  char path[] = WORK, link_path[] = "/tmp/escape-link";
  close(own_file(path));
  for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
    if (rename(path, targets[i]) == 0 || link(path, targets[i]) == 0) escaped("a file got to %s", targets[i]);
    must_fail(-1, targets[i]);
  }
  static const char *const sources[] = {"/etc/passwd", "/etc/hosts", "/usr/bin/env"};
  for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
    int linked = link(sources[i], link_path), error = errno;
    if (linked == 0) unlink(link_path);
    errno = error;
    must_fail(linked, sources[i]);
    must_fail(rename(sources[i], link_path), sources[i]);
  }
  unlink(path);
  all_refused("moving and linking across the border");
}

static void try_open(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) escaped("opened %s", path);
  must_fail(-1, path);
}

/* One file of the host or the supervisor, by every road. */
static void host_file(char **args) {
  const char *path = argument(args, "absolute path of a file that the sandbox must not see");
  static const char *const roads[] = {"",           "/proc/self/root", "/proc/1/root",       "/proc/self/cwd/../../../../../..",
                                      "/tmp/../..", "/proc/1/cwd",     "/proc/thread-self/root", "/dev/fd/0/.."};
  char road[4096];
  for (size_t i = 0; i < sizeof roads / sizeof *roads; i++) {
    snprintf(road, sizeof road, "%s%s", roads[i], path);
    try_open(road);
  }
  int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  snprintf(road, sizeof road, "../../../..%s", path);
  int fd = openat(root, road, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) escaped("opened %s from a descriptor of the root", road);
  must_fail(-1, road);

  char name[] = WORK;
  close(own_file(name));
  unlink(name);
  if (symlink(path, name)) unsupported("symlink: %s", strerror(errno));
  fd = open(name, O_RDONLY | O_CLOEXEC);
  int error = errno;
  unlink(name);
  if (fd >= 0) escaped("opened %s through a symbolic link", path);
  errno = error;
  must_fail(-1, "symbolic link");
  all_refused("a file of the outside, by ten roads");
}

static void device_nodes(char **args) {
  (void)args;
  static const struct {
    mode_t type;
    int major, minor;
  } devices[] = {{S_IFCHR, 1, 1}, {S_IFCHR, 1, 3}, {S_IFCHR, 10, 232}, {S_IFBLK, 7, 0}, {S_IFBLK, 8, 0}, {S_IFBLK, 254, 0}};
  for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
    char path[] = "/tmp/escape-node";
    dev_t device = makedev(devices[i].major, devices[i].minor);
    int made = mknod(path, devices[i].type | 0600, device), error = errno;
    if (made == 0) unlink(path);
    errno = error;
    must_fail(made, "mknod");
  }
  all_refused("making device nodes");
}

static void devices(char **args) {
  (void)args;
  static const char *const names[] = {"kvm",  "fuse", "net/tun", "loop-control", "loop0",   "sda",  "vda",    "nvme0n1",
                                      "mapper/control", "vhost-net", "vsock", "vhost-vsock", "uinput", "hpet", "snapshot", "cuse", "ppp"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char path[64];
    snprintf(path, sizeof path, "/dev/%s", names[i]);
    must_fail(open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC), path);
  }
  all_refused("devices of the machine");
}

static void set_user_id_bit(char **args) {
  (void)args;
  char path[] = WORK;
  int fd = own_file(path), error = 0, worked = 0;
  worked += fchmod(fd, 04755) == 0;
  worked += chmod(path, 04700) == 0;
  worked += syscall(SYS_fchmodat, AT_FDCWD, path, 06755) == 0;
  error = errno;
  if (syscall(452 /* fchmodat2 */, AT_FDCWD, path, 04755, 0) == 0) worked++;
  unlink(path);
  errno = error;
  judge(worked ? 0 : -1, "a set-user-ID bit on a file of its own");
}

const struct attempt file_attempts[] = {
    {"write-system", "writing and creating in /, /usr, /etc, /dev, /proc", "EACCES EPERM EROFS ENOENT", write_system, 0},
    {"truncate", "truncating a read-only file (argument: path, /etc/passwd unless told)", "EACCES EPERM EROFS ENOENT",
     truncate_file, 0},
    {"move-across", "rename(2) and link(2) across the border", "EACCES EPERM EROFS EXDEV ENOENT", move_across, 0},
    {"host-file", "a file outside, by every road (argument: path)", "ENOENT EACCES EPERM ENOTDIR", host_file, 0},
    {"device-nodes", "mknod(2) of memory, disks and KVM", "EPERM", device_nodes, 0},
    {"devices", "device nodes that may have been left in /dev", "ENOENT EACCES EPERM ENXIO ENODEV", devices, 0},
    {"setuid-bit", "chmod(2) with the set-user-ID bit", "EPERM", set_user_id_bit, 0},
    {0},
};
