/* Changing what the sandbox sees of file systems. */
#include "escape.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#define SYS_OPEN_TREE_ATTR 467
#define OPEN_TREE_CLONE_FLAG 1
#define FSCONFIG_CMD_CREATE_COMMAND 6
#define UMOUNT_DETACH 2

struct mount_attributes {
  unsigned long long set, clear, propagation, userns;
};

static void mount_tmpfs(char **args) {
  (void)args;
  judge(mount("escape", "/tmp", "tmpfs", 0, NULL), "mount of a tmpfs on /tmp");
}

static void mount_proc(char **args) {
  (void)args;
  judge(mount("proc", "/tmp", "proc", 0, NULL), "mount of a fresh /proc");
}

static void mount_bind(char **args) {
  (void)args;
  judge(mount("/", "/tmp", NULL, MS_BIND | MS_REC, NULL), "bind mount of the root");
}

static void remount(char **args) {
  (void)args;
  static const char *const targets[] = {"/", "/usr", "/etc", "/proc", "/proc/sys", "/dev"};
  for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
    must_fail(mount(NULL, targets[i], NULL, MS_REMOUNT, NULL), targets[i]);
    must_fail(mount(NULL, targets[i], NULL, MS_REMOUNT | MS_BIND, NULL), targets[i]);
  }
  all_refused("remount read-write");
}

static void propagation(char **args) {
  (void)args;
  judge(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL), "sharing mounts with the outside");
}

static void unmount(char **args) {
  (void)args;
  static const char *const targets[] = {"/proc/sys", "/proc", "/dev", "/etc/resolv.conf", "/tmp", "/"};
  for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
    must_fail(syscall(SYS_umount2, targets[i], 0), targets[i]);
    must_fail(syscall(SYS_umount2, targets[i], UMOUNT_DETACH), targets[i]);
  }
  all_refused("umount, plain and lazy");
}

static void open_tree_clone(char **args) {
  (void)args;
  judge(syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE_FLAG), "open_tree with OPEN_TREE_CLONE");
}

static void open_tree_attr(char **args) {
  (void)args;
  struct mount_attributes none = {0};
  judge(syscall(SYS_OPEN_TREE_ATTR, AT_FDCWD, "/", OPEN_TREE_CLONE_FLAG, &none, sizeof none), "open_tree_attr");
}

static void move(char **args) {
  (void)args;
  judge(syscall(SYS_move_mount, AT_FDCWD, "/proc", AT_FDCWD, "/tmp", 0), "move_mount of /proc to /tmp");
}

static void new_filesystem(char **args) {
  (void)args;
  int fd = (int)syscall(SYS_fsopen, "tmpfs", 0);
  if (fd < 0) refused_errno(errno, "fsopen");
  if (syscall(SYS_fsconfig, fd, FSCONFIG_CMD_CREATE_COMMAND, NULL, NULL, 0)) refused_errno(errno, "fsconfig");
  judge(syscall(SYS_fsmount, fd, 0, 0), "fsmount of a tmpfs");
}

static void pick_filesystem(char **args) {
  (void)args;
  judge(syscall(SYS_fspick, AT_FDCWD, "/", 0), "fspick of the root");
}

static void set_attributes(char **args) {
  (void)args;
  struct mount_attributes writable = {.clear = 1 /* MOUNT_ATTR_RDONLY */};
  judge(syscall(SYS_mount_setattr, AT_FDCWD, "/", 0x8000 /* AT_RECURSIVE */, &writable, sizeof writable),
        "mount_setattr clearing read-only");
}

static void pivot(char **args) {
  (void)args;
  judge(syscall(SYS_pivot_root, "/", "/"), "pivot_root");
}

/* The classic way out: keep a directory above the new root and climb. */
static void change_root(char **args) {
  (void)args;
  char directory[] = "/tmp/escape-XXXXXX";
  if (!mkdtemp(directory)) unsupported("no directory in /tmp: %s", strerror(errno));
  int result = chroot(directory);
  int error = errno;
  if (result < 0) rmdir(directory);
  errno = error;
  judge(result, "chroot");
}

const struct attempt mount_attempts[] = {
    {"mount-tmpfs", "mount(2) of a tmpfs", "EPERM", mount_tmpfs, 0},
    {"mount-proc", "mount(2) of a second /proc", "EPERM", mount_proc, 0},
    {"mount-bind", "mount(2) of the root in a second place", "EPERM", mount_bind, 0},
    {"mount-remount", "mount(2) making read-only trees writable", "EPERM", remount, 0},
    {"mount-propagation", "mount(2) sharing mounts", "EPERM", propagation, 0},
    {"umount", "umount2(2) of what covers the host's files", "EPERM", unmount, 0},
    {"open-tree", "open_tree(2) cloning the root", "EPERM", open_tree_clone, 0},
    {"open-tree-attr", "open_tree_attr(2), the newer form", "EPERM ENOSYS", open_tree_attr, 0},
    {"move-mount", "move_mount(2)", "EPERM", move, 0},
    {"fsopen", "fsopen(2), fsconfig(2), fsmount(2)", "EPERM", new_filesystem, 0},
    {"fspick", "fspick(2)", "EPERM", pick_filesystem, 0},
    {"mount-setattr", "mount_setattr(2) clearing read-only", "EPERM", set_attributes, 0},
    {"pivot-root", "pivot_root(2)", "EPERM", pivot, 0},
    {"chroot", "chroot(2) into a directory of its own", "EPERM", change_root, 0},
    {0},
};
