/* Carries bytes between the caller's terminal (or pipes) and the sandbox's own terminal. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct {
  int master, in, out, pending, at, is_raw;
  struct termios saved;
  char input[4096];
} t = {.master = -1, .in = -1, .out = -1};

void terminal_start(uint32_t flags, int master) {
  t.master = master;
  t.in = flags & F_PTY0 ? 0 : -1;
  t.out = flags & F_PTY1 ? 1 : flags & F_PTY2 ? 2 : 0;
  fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
  terminal_resize(0, 0);
  terminal_raw();
}

void terminal_raw(void) {
  struct termios raw;
  /* Only the foreground job may change the terminal; a background one would be stopped for trying. */
  if (t.in < 0 || t.is_raw || !isatty(0) || tcgetpgrp(0) != getpgrp() || tcgetattr(0, &t.saved)) return;
  raw = t.saved;
  cfmakeraw(&raw);
  t.is_raw = tcsetattr(0, TCSADRAIN, &raw) == 0;
}

void terminal_restore(void) {
  if (t.is_raw) tcsetattr(0, TCSADRAIN, &t.saved);
  t.is_raw = 0;
}

void terminal_resize(int rows, int columns) {
  struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
  if (t.master >= 0 && (rows || ioctl(t.out, TIOCGWINSZ, &size) == 0)) ioctl(t.master, TIOCSWINSZ, &size);
}

void terminal_wait(struct pollfd *waits) {
  int may_read = t.in >= 0 && !t.pending && (!isatty(0) || tcgetpgrp(0) == getpgrp());
  waits[0] = (struct pollfd){.fd = t.master, .events = (short)(POLLIN | (t.pending ? POLLOUT : 0))};
  waits[1] = (struct pollfd){.fd = may_read ? t.in : -1, .events = POLLIN};
}

/* Moves what the sandbox wrote to the caller. Returns 0 at the end. */
static int output(void) {
  char buffer[4096];
  ssize_t n = read(t.master, buffer, sizeof buffer);
  if (n > 0) return write_all(t.out, buffer, (size_t)n) == 0;
  return n < 0 && (errno == EAGAIN || errno == EINTR) ? -1 : 0;
}

void terminal_pump(const struct pollfd *waits) {
  if (waits[1].revents) {
    ssize_t n = read(t.in, t.input, sizeof t.input);
    if (n <= 0) t.in = -1, t.input[0] = 4, n = 1; /* the caller's input ended: end of file, as a terminal says it */
    t.at = 0, t.pending = (int)n;
  }
  if (t.pending) {
    ssize_t n = write(t.master, t.input + t.at, (size_t)t.pending);
    if (n > 0) t.at += (int)n, t.pending -= (int)n;
  }
  if (waits[0].revents && !output()) close(t.master), t.master = -1;
}

void terminal_drain(void) {
  while (t.master >= 0 && output() > 0) continue;
  terminal_restore();
}
