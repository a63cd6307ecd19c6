#include "escape.h"

#include <stdarg.h>

static const struct attempt *const families[] = {
    network_attempts, netlink_attempts,   process_attempts, namespace_attempts, mount_attempts,    kernel_attempts,
    abi_attempts,     privilege_attempts, file_attempts,    inherited_attempts, terminal_attempts,
};

static int first_error;

void refused(const char *reason, const char *detail) {
  printf("refused: %s %s\n", reason, detail);
  exit(0);
}

void refused_errno(int error, const char *detail) {
  const char *name = strerrorname_np(error);
  refused(name ? name : "UNKNOWN", detail);
}

void escaped(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("ESCAPED: ", stdout);
  vprintf(format, arguments);
  putchar('\n');
  exit(1);
}

void unsupported(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("unsupported: ", stdout);
  vprintf(format, arguments);
  putchar('\n');
  exit(77);
}

void judge(long result, const char *detail) {
  if (result < 0) refused_errno(errno, detail);
  escaped("%s succeeded", detail);
}

void must_fail(long result, const char *detail) {
  int error = errno;
  if (result >= 0) escaped("%s succeeded", detail);
  if (!first_error) first_error = error;
}

void all_refused(const char *detail) { refused_errno(first_error, detail); }

const char *argument(char **args, const char *what) {
  if (!args[0]) unsupported("needs an argument: %s", what);
  return args[0];
}

unsigned long long status_field(const char *field, int base) {
  FILE *status = fopen("/proc/self/status", "re");
  if (!status) unsupported("/proc/self/status: %s", strerror(errno));
  char line[512];
  size_t length = strlen(field);
  while (fgets(line, sizeof line, status)) {
    if (strncmp(line, field, length) || line[length] != ':') continue;
    fclose(status);
    return strtoull(line + length + 1, NULL, base);
  }
  fclose(status);
  unsupported("/proc/self/status has no %s", field);
}

static void list(void) {
  for (size_t i = 0; i < sizeof families / sizeof *families; i++)
    for (const struct attempt *at = families[i]; at->name; at++)
      printf("%s\t%s\t%s\n", at->name, at->what, at->expected);
}

static const struct attempt *find(const char *name) {
  for (size_t i = 0; i < sizeof families / sizeof *families; i++)
    for (const struct attempt *at = families[i]; at->name; at++)
      if (strcmp(at->name, name) == 0) return at;
  return NULL;
}

/* A process with capabilities, or without a filter, is not in a sandbox: saying so is enough, and harms nobody. */
static void check_cage(const struct attempt *attempt) {
  unsigned long long capabilities = status_field("CapEff", 16);
  if (capabilities) escaped("this process has capabilities (%llx); the attempt was not made", capabilities);
  if (attempt->needs_cage && status_field("Seccomp", 10) != 2)
    escaped("this process has no system call filter; the attempt was not made");
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "--list") == 0) {
    list();
    return 0;
  }
  /* For the attempt `setuid-binary`: a set-user-ID copy of this program says whether the bit took effect. */
  if (argc == 2 && strcmp(argv[1], "--raised") == 0) return geteuid() != getuid() || getegid() != getgid();
  const struct attempt *attempt = argc < 2 ? NULL : find(argv[1]);
  if (!attempt) {
    fputs("usage: escape NAME [ARGUMENT...] | escape --list\n", stderr);
    return 2;
  }
  check_cage(attempt);
  attempt->run(argv + 2);
  unsupported("%s came to no verdict", attempt->name);
}
