/*
 * The sandbox's view of files: a new root on a tmpfs, made of exactly what the specification lists.
 * Sources are opened first, without following any symbolic link, so that neither the new root nor a
 * workload of an earlier run can change what they mean.
 */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Raw calls: the C library's mount header and the kernel's cannot be included together everywhere. */
enum { RECLAIM_LAZILY = 2 /* MNT_DETACH */ };
static const unsigned long REMAP_PRIVATE = 1 << 18 | 1 << 14; /* MS_PRIVATE | MS_REC */

static int set_attributes(int fd, unsigned flags, uint64_t set, int idmap_fd) {
  struct mount_attr attributes = {.attr_set = set};
  if (idmap_fd >= 0) attributes.attr_set |= MOUNT_ATTR_IDMAP, attributes.userns_fd = (uint64_t)idmap_fd;
  return (int)syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | flags, &attributes, sizeof attributes);
}

static uint64_t attribute_bits(const struct mount_item *m) {
  return MOUNT_ATTR_NOSUID | (m->flags & MF_DEVICE ? 0 : MOUNT_ATTR_NODEV) | (m->flags & MF_READONLY ? MOUNT_ATTR_RDONLY : 0) |
         (m->flags & MF_NOEXEC ? MOUNT_ATTR_NOEXEC : 0);
}

/* A detached copy of a host tree, with its final attributes. */
static int open_source(const struct mount_item *m, const int *idmap_fds) {
  struct open_how how = {.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW, .resolve = RESOLVE_NO_SYMLINKS};
  int path = (int)syscall(SYS_openat2, AT_FDCWD, m->source, &how, sizeof how);
  if (path < 0) fail("open source", m->source);
  int tree = (int)syscall(SYS_open_tree, path, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  if (tree < 0) fail("clone source", m->source);
  close(path);
  /* Only the top mount is mapped: what is mounted below it keeps its own owners. */
  if (m->idmap && set_attributes(tree, 0, 0, idmap_fds[m->idmap - 1])) fail("idmapped mount", m->source);
  if (set_attributes(tree, AT_RECURSIVE, attribute_bits(m), -1)) fail("mount attributes", m->source);
  return tree;
}

/* A new mount of a file system type; options are "key=value" or "flag", separated by commas. */
static int new_filesystem(const struct mount_item *m, const char *type) {
  int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
  if (context < 0) fail("open file system", type);
  char options[512];
  snprintf(options, sizeof options, "%s", m->source);
  for (char *save = NULL, *key = strtok_r(options, ",", &save); key; key = strtok_r(NULL, ",", &save)) {
    char *value = strchr(key, '=');
    if (value) *value++ = 0;
    long result = value ? syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0)
                        : syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, key, NULL, 0);
    if (result) fail("file system option", key);
  }
  if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0)) fail("create file system", m->target);
  int mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, (unsigned)attribute_bits(m));
  if (mount < 0) fail("mount file system", m->target);
  close(context);
  return mount;
}

/* Opens the directory that holds path's last component below root, making what is missing. */
static int open_parent(int root, const char *path, const char **last) {
  int at = dup(root);
  for (;;) {
    while (*path == '/') path++;
    const char *end = strchrnul(path, '/');
    if (!*end || !end[strspn(end, "/")]) break;
    char name[NAME_MAX + 1];
    if (end - path > NAME_MAX) fail("mount point", path);
    memcpy(name, path, (size_t)(end - path));
    name[end - path] = 0;
    int next = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0 && errno == ENOENT && mkdirat(at, name, 0755) == 0) next = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0) fail("mount point", path);
    close(at);
    at = next;
    path = end;
  }
  *last = path;
  return at;
}

static void attach(int root, int tree, const char *target) {
  const char *name;
  int parent = open_parent(root, target, &name);
  struct stat info, there;
  if (fstatat(tree, "", &info, AT_EMPTY_PATH)) fail("mount point", target);
  if (fstatat(parent, name, &there, AT_SYMLINK_NOFOLLOW)) {
    int made = S_ISDIR(info.st_mode) ? mkdirat(parent, name, 0755) : mknodat(parent, name, S_IFREG | 0444, 0);
    if (made) fail("mount point", target);
  }
  int place = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (place < 0 || syscall(SYS_move_mount, tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)) fail("attach", target);
  close(place);
  close(parent);
}

static void make_entry(int root, const struct mount_item *m) {
  const char *name;
  int parent = open_parent(root, m->target, &name);
  if (m->kind == M_SYMLINK) {
    if (symlinkat(m->source, parent, name) && errno != EEXIST) fail("symbolic link", m->target);
  } else if ((mkdirat(parent, name, m->mode) && errno != EEXIST) || fchmodat(parent, name, m->mode, 0)) {
    fail("directory", m->target);
  }
  close(parent);
}

/* A file of ours: written to a tmpfs of its own and bound, so that it can also cover a file of the host's. */
static void make_file(int root, const struct mount_item *m) {
  struct mount_item holder = {.kind = M_TMPFS, .flags = MF_NOEXEC, .source = "mode=755", .target = m->target};
  int mount = new_filesystem(&holder, "tmpfs");
  int fd = openat(mount, "content", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 || write_all(fd, m->data, m->data_size) || fchmod(fd, m->mode)) fail("write file", m->target);
  close(fd);
  int tree = (int)syscall(SYS_open_tree, mount, "content", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (tree < 0 || set_attributes(tree, 0, attribute_bits(m), -1)) fail("clone file", m->target);
  attach(root, tree, m->target);
  close(tree);
  close(mount);
}

static void build_item(int root, const struct mount_item *m, int source) {
  switch (m->kind) {
    case M_DIR: case M_SYMLINK: make_entry(root, m); return;
    case M_FILE: make_file(root, m); return;
    case M_BIND: attach(root, source, m->target); close(source); return;
    case M_TMPFS: source = new_filesystem(m, "tmpfs"); break;
    case M_PROC: source = new_filesystem(m, "proc"); break;
    case M_DEVPTS: source = new_filesystem(m, "devpts"); break;
    case M_SEAL: {
      const char *name;
      int parent = open_parent(root, m->target, &name), place = name[0] ? openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC) : dup(parent);
      if (place < 0 || set_attributes(place, 0, MOUNT_ATTR_RDONLY, -1)) fail("seal", m->target);
      close(place), close(parent);
      return;
    }
  }
  attach(root, source, m->target);
  close(source);
}

void mounts_build(const struct spec *spec, const int *idmap_fds) {
  static int sources[MAX_MOUNTS];
  if (syscall(SYS_mount, NULL, "/", NULL, REMAP_PRIVATE, NULL)) fail("private mounts", NULL);
  for (uint32_t i = 0; i < spec->mount_count; i++)
    sources[i] = spec->mounts[i].kind == M_BIND ? open_source(&spec->mounts[i], idmap_fds) : -1;

  struct mount_item root_item = {.kind = M_TMPFS, .source = "mode=755,size=16m", .target = spec->base};
  int root = new_filesystem(&root_item, "tmpfs");
  if (syscall(SYS_move_mount, root, "", AT_FDCWD, spec->base, MOVE_MOUNT_F_EMPTY_PATH)) fail("attach root", spec->base);
  for (uint32_t i = 0; i < spec->mount_count; i++) build_item(root, &spec->mounts[i], sources[i]);

  if (fchdir(root) || syscall(SYS_pivot_root, ".", ".")) fail("pivot_root", NULL);
  if (syscall(SYS_umount2, ".", RECLAIM_LAZILY) || chdir("/")) fail("leave the host's root", NULL);
  close(root);
}

/* A user namespace that exists only for its maps: made by a short-lived child, kept by a descriptor. */
int idmap_namespace(const char *uid_map, const char *gid_map) {
  int ready[2], fd = -1;
  char path[64], byte;
  if (pipe2(ready, O_CLOEXEC)) return -1;
  pid_t child = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (child < 0) return -1;
  if (child == 0) {
    close(ready[1]);
    _exit(read(ready[0], &byte, 1) < 0);
  }
  close(ready[0]);
  snprintf(path, sizeof path, "/proc/%d/uid_map", child);
  int failed = write_file(path, uid_map);
  snprintf(path, sizeof path, "/proc/%d/gid_map", child);
  failed |= write_file(path, gid_map);
  snprintf(path, sizeof path, "/proc/%d/ns/user", child);
  if (!failed) fd = open(path, O_RDONLY | O_CLOEXEC);
  int saved = errno;
  close(ready[1]);
  while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
  errno = saved;
  return fd;
}
