/* What may have come along from outside: descriptors, variables. */
#include "escape.h"

#include <dirent.h>
#include <fcntl.h>

enum { HIGHEST_DESCRIPTOR = 65536 };

static void descriptors(char **args) {
  (void)args;
  for (int fd = 3; fd < HIGHEST_DESCRIPTOR; fd++) {
    if (fcntl(fd, F_GETFD) < 0) continue;
    char path[40], target[256] = "?";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length > 0) target[length] = '\0';
    escaped("descriptor %d is open: %s", fd, target);
  }
  refused("EBADF", "no descriptor above 2");
}

static int contains(const char *data, ssize_t size, const char *text) {
  return memmem(data, (size_t)size, text, strlen(text)) != NULL;
}

/* A secret must not stand in our environment, under its own name or another, nor in that of any visible process. */
static void environment(char **args) {
  const char *name = argument(args, "name of a variable that must be absent; then the secret's value");
  if (getenv(name)) escaped("%s is in the environment", name);
  if (!args[1]) refused("ABSENT", "the variable is not there");
  DIR *proc = opendir("/proc");
  if (!proc) unsupported("/proc: %s", strerror(errno));
  for (struct dirent *entry; (entry = readdir(proc));) {
    if (atoi(entry->d_name) <= 0) continue;
    char path[300];
    static char data[1 << 20];
    snprintf(path, sizeof path, "/proc/%s/environ", entry->d_name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, data, sizeof data);
    if (fd >= 0) close(fd);
    if (got > 0 && contains(data, got, args[1])) escaped("the secret is in %s", path);
  }
  closedir(proc);
  refused("ABSENT", "the secret is in no visible environment");
}

const struct attempt inherited_attempts[] = {
    {"leaked-descriptors", "descriptors above 2 that are open at the start", "EBADF", descriptors, 0},
    {"leaked-environment", "a secret in an environment (arguments: variable, value)", "ABSENT", environment, 0},
    {0},
};
