/* openshell-launcher --probe: tries, in short-lived children, what the kernel gives to this user. One
 * "name possible errno" a line; the netlink records of a specification on standard input are tried too. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int new_namespaces(unsigned long kinds) {
  char map[64];
  unsigned uid = getuid(), gid = getgid();
  if (syscall(SYS_unshare, kinds | (uid ? CLONE_NEWUSER : 0))) return -1;
  if (!uid) return 0;
  snprintf(map, sizeof map, "%u %u 1", uid, uid);
  if (write_file("/proc/self/uid_map", map) || write_file("/proc/self/setgroups", "deny")) return -1;
  snprintf(map, sizeof map, "%u %u 1", gid, gid);
  return write_file("/proc/self/gid_map", map);
}

static int try_userns(void) { return (int)syscall(SYS_unshare, CLONE_NEWUSER); }
static int try_netns(void) { return new_namespaces(CLONE_NEWNET); }
static const struct netlink_item *tried;
static int try_netlink(void) { return new_namespaces(CLONE_NEWNET) ? -1 : netlink_apply(tried); }
static int try_mount(void) { return new_namespaces(CLONE_NEWNS) ? -1 : (int)syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | AT_RECURSIVE); }
static int try_idmap(void) {
  int tree, users = idmap_namespace("0 65534 1", "0 65534 1");
  if (users < 0 || syscall(SYS_unshare, CLONE_NEWNS) || (tree = (int)syscall(SYS_open_tree, AT_FDCWD, ".", OPEN_TREE_CLONE)) < 0) return -1;
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)users};
  return (int)syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes);
}
static int try_notify(void) {
  uint32_t action = SECCOMP_RET_USER_NOTIF;
  return (int)syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
}
static int try_seccomp(void) {
  uint32_t action = SECCOMP_RET_ERRNO;
  return (int)syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
}

long landlock_abi(void) {
  long abi = syscall(444 /* landlock_create_ruleset */, NULL, 0, 1 /* LANDLOCK_CREATE_RULESET_VERSION */);
  return abi < 0 ? 0 : abi;
}

static void report_try(const char *name, int (*attempt)(void)) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    errno = 0;
    _exit(attempt() < 0 ? (errno ? errno & 255 : EIO) : 0);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status)) status = EIO << 8;
  printf("%s %d %d\n", name, WEXITSTATUS(status) == 0, WEXITSTATUS(status));
}

int probe(const struct spec *spec) {
  printf("landlock_abi %ld\n", landlock_abi());
  report_try("seccomp", try_seccomp);
  report_try("seccomp_notify", try_notify);
  report_try("userns", try_userns);
  report_try("netns", try_netns);
  for (uint32_t i = 0; i < spec->netlink_count; i++) tried = &spec->netlinks[i], report_try(tried->name, try_netlink);
  report_try("newmount", try_mount);
  report_try("idmap", try_idmap);
  return 0;
}
