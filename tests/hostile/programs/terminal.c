/* Typing into the terminal that the person outside also reads from. */
#include "escape.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#ifndef TIOCLINUX
#define TIOCLINUX 0x541C
#endif

/* The controlling terminal, or standard input: the filter refuses before the kernel looks what it is. */
static int terminal(void) {
  int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  return fd < 0 ? 0 : fd;
}

/* The C library may cut the request to 32 bits; the system call does not. */
static long control(unsigned long request, void *value) { return syscall(SYS_ioctl, terminal(), request, value); }

static void push_input(char **args) {
  (void)args;
  char key = '\n';
  judge(control(TIOCSTI, &key), "TIOCSTI");
}

static void push_input_high(char **args) {
  (void)args;
  char key = '\n';
  static const unsigned long noise[] = {1UL << 32, 0xffffffffUL << 32, 0xdeadbeefUL << 32};
  for (size_t i = 0; i < sizeof noise / sizeof *noise; i++) must_fail(control(noise[i] | TIOCSTI, &key), "TIOCSTI");
  all_refused("TIOCSTI with bits set above the lower 32");
}

static void paste(char **args) {
  (void)args;
  char command = 3; /* TIOCL_PASTESEL */
  must_fail(control(TIOCLINUX, &command), "TIOCLINUX");
  must_fail(control(1UL << 32 | TIOCLINUX, &command), "TIOCLINUX with high bits");
  all_refused("TIOCLINUX");
}

static void line_discipline(char **args) {
  (void)args;
  int discipline = 21; /* N_GSM0710 */
  judge(control(TIOCSETD, &discipline), "TIOCSETD");
}

static void console(char **args) {
  (void)args;
  judge(control(TIOCCONS, NULL), "TIOCCONS");
}

static void steal(char **args) {
  (void)args;
  judge(control(TIOCSCTTY, (void *)1L), "TIOCSCTTY by force");
}

const struct attempt terminal_attempts[] = {
    {"tiocsti", "TIOCSTI: input as if the person had typed it", "EPERM", push_input, 0},
    {"tiocsti-high-bits", "TIOCSTI hidden by the argument's high half", "EPERM", push_input_high, 0},
    {"tioclinux", "TIOCLINUX: pasting on a console", "EPERM", paste, 0},
    {"line-discipline", "TIOCSETD: loading a line discipline", "EPERM", line_discipline, 0},
    {"console", "TIOCCONS: redirecting the console", "EPERM EACCES ENOTTY EBADF", console, 0},
    {"steal-terminal", "TIOCSCTTY: taking another session's terminal", "EPERM ENOTTY EBADF EIO", steal, 0},
    {0},
};
