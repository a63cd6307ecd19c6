/*
 * Attempts to get out of a sandbox. Each makes the real call and judges by its result; each ends the process
 * through exactly one of the verdicts below. See ../README.md.
 */
#ifndef ESCAPE_H
#define ESCAPE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct attempt {
  const char *name;
  const char *what;
  /* Errno names (or signal names and words in capitals) that count as properly refused, parted by spaces. */
  const char *expected;
  /* args: what followed the name on the command line, ended by NULL. Returns only by a verdict. */
  void (*run)(char **args);
  /* Would hurt a machine that is not a sandbox: made only under a system call filter. */
  int needs_cage;
};

/* ---- verdicts (escape.c) ---- */

_Noreturn void refused(const char *reason, const char *detail);
_Noreturn void refused_errno(int error, const char *detail);
_Noreturn void escaped(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void unsupported(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Refused when result is negative, by errno; an escape otherwise. */
_Noreturn void judge(long result, const char *detail);

/* For attempts with several calls: each must fail; the first errno is the one that `all_refused` reports. */
void must_fail(long result, const char *detail);
_Noreturn void all_refused(const char *detail);

/* The first argument, or `unsupported` with what it should have been. */
const char *argument(char **args, const char *what);

/* Value of a field in /proc/self/status as a number in the given base; `unsupported` when it cannot be read. */
unsigned long long status_field(const char *field, int base);

/* ---- attempts by family, each ended by a zeroed entry ---- */

extern const struct attempt network_attempts[];
extern const struct attempt netlink_attempts[];
extern const struct attempt process_attempts[];
extern const struct attempt namespace_attempts[];
extern const struct attempt mount_attempts[];
extern const struct attempt kernel_attempts[];
extern const struct attempt abi_attempts[];
extern const struct attempt privilege_attempts[];
extern const struct attempt file_attempts[];
extern const struct attempt inherited_attempts[];
extern const struct attempt terminal_attempts[];

#endif
