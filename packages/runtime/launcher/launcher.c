/*
 * The monitor: the launcher's side in the caller's namespaces. Reads the specification, starts the sandbox's init,
 * relays orders and reports between it and the supervisor, and removes what is left when either of them ends.
 */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct spec spec;
static struct {
  int init_socket, proc_fd, diag_fd, exit_code, exit_signal, exited;
  pid_t init;
} m = {.init_socket = -1, .proc_fd = -1, .diag_fd = -1};

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *format, ...) {
  char line[512];
  __builtin_va_list list;
  __builtin_va_start(list, format);
  int n = vsnprintf(line, sizeof line - 1, format, list);
  __builtin_va_end(list);
  if (n > (int)sizeof line - 2) n = sizeof line - 2;
  for (int i = 0; i < n; i++)
    if (line[i] == '\n' || line[i] == '\r') line[i] = ' ';
  line[n++] = '\n';
  write_all(CONTROL_FD, line, (size_t)n);
}

/* The last word has to be read: an order that still comes in must not turn it into a broken pipe. */
static void say_goodbye(void) {
  char rest[256];
  shutdown(CONTROL_FD, SHUT_WR);
  while (read(CONTROL_FD, rest, sizeof rest) > 0) continue;
}

static _Noreturn void give_up(const char *step, const char *detail) {
  tell("fail %s\t%d\t%s", step, errno, detail);
  if (m.init > 0) kill(m.init, SIGKILL), waitpid(m.init, NULL, 0);
  say_goodbye();
  exit(125);
}

static void map_ids(void) {
  char path[64];
  const char *const files[][2] = {{"uid_map", spec.uid_map}, {"setgroups", "deny"}, {"gid_map", spec.gid_map}};
  for (int i = 0; i < 3; i++) {
    snprintf(path, sizeof path, "/proc/%d/%s", m.init, files[i][0]);
    if (write_file(path, files[i][1])) give_up("user namespace", files[i][0]);
  }
}

static void start_init(void) {
  int idmap_fds[MAX_IDMAPS], pair[2];
  for (uint32_t i = 0; i < spec.idmap_count; i++)
    if ((idmap_fds[i] = idmap_namespace(spec.idmaps[i].uid_map, spec.idmaps[i].gid_map)) < 0) give_up("id map", spec.idmaps[i].uid_map);
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) give_up("socket pair", "");
  unsigned long kinds = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP;
  if (spec.flags & F_USERNS) kinds |= CLONE_NEWUSER;
  m.init = (pid_t)syscall(SYS_clone, kinds | SIGCHLD, 0, 0, 0, 0);
  if (m.init < 0) give_up("namespaces", spec.flags & F_USERNS ? "as an ordinary user" : "as root");
  if (m.init == 0) {
    close(pair[0]), close(CONTROL_FD);
    init_run(&spec, pair[1], idmap_fds);
  }
  close(pair[1]);
  m.init_socket = pair[0];
  for (uint32_t i = 0; i < spec.idmap_count; i++) close(idmap_fds[i]);
  if (spec.flags & F_USERNS) map_ids();
  if (report_send(m.init_socket, O_GO_ON, 0, 0, NULL, 0)) give_up("init", "");
}

static void take_report(void) {
  struct report report;
  int fds[4], count = 0;
  if (report_receive(m.init_socket, &report, fds, &count) != sizeof report) {
    close(m.init_socket);
    m.init_socket = -1;
    return;
  }
  switch (report.type) {
    case R_READY:
      m.proc_fd = fds[0], m.diag_fd = fds[1];
      if (count > 2) terminal_start(spec.flags, fds[2]);
      tell("ready %d %d %d", m.init, m.proc_fd, report.a);
      return;
    case R_STARTED: tell("started %d", report.a); return;
    case R_NOTE: tell("note %s\t%d\t%s", report.step, report.a, report.detail); return;
    case R_FAILED: tell("fail %s\t%d\t%s", report.step, report.a, report.detail); return;
    case R_EXIT: m.exited = 1, m.exit_code = report.a, m.exit_signal = report.b; return;
    case R_STOPPED:
      /* A job that stops itself stops us too, so that the caller's shell gets its terminal back. */
      terminal_restore();
      kill(0, SIGTSTP);
      return;
  }
}

static void take_signals(int signals) {
  struct signalfd_siginfo info;
  while (read(signals, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGWINCH) terminal_resize(0, 0);
    if (info.ssi_signo != SIGCONT) continue;
    terminal_raw();
    terminal_resize(0, 0);
    if (spec.flags & F_PTY) report_send(m.init_socket, O_SIGNAL, SIGCONT, 1, NULL, 0);
  }
}

static void take_line(char *line) {
  int a, b;
  if (strncmp(line, "who ", 4) == 0) who(line, m.proc_fd, m.diag_fd);
  else if (strcmp(line, "run") == 0) report_send(m.init_socket, O_RUN, 0, 0, NULL, 0);
  else if (sscanf(line, "signal %d %d", &a, &b) == 2 && a > 0 && a < 65) report_send(m.init_socket, O_SIGNAL, a, b, NULL, 0);
  else if (sscanf(line, "resize %d %d", &a, &b) == 2) terminal_resize(a, b);
  else if (strcmp(line, "kill") == 0) kill(m.init, SIGKILL);
}

/* Returns 0 when the supervisor is gone. */
static int take_orders(void) {
  static char buffer[4096];
  static size_t used;
  ssize_t n = read(CONTROL_FD, buffer + used, sizeof buffer - used);
  if (n < 0 && errno == EINTR) return 1;
  if (n <= 0) return 0;
  used += (size_t)n;
  char *start = buffer, *end;
  while ((end = memchr(start, '\n', used - (size_t)(start - buffer)))) {
    *end = 0;
    take_line(start);
    start = end + 1;
  }
  used -= (size_t)(start - buffer);
  memmove(buffer, start, used);
  return used < sizeof buffer;
}

/* NULL, or what is wrong with the specification. */
static const char *read_spec(int fd) {
  uint32_t header[2];
  size_t got = 0;
  uint8_t *data = NULL;
  for (size_t want = sizeof header; got < want;) {
    ssize_t n = read(fd, (got < sizeof header ? (uint8_t *)header : data - sizeof header) + got, got < sizeof header ? sizeof header - got : want - got);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return "it is cut short";
    if ((got += (size_t)n) != sizeof header || data) continue;
    if (header[0] != 0x314c534f /* "OSL1" */ || header[1] > MAX_SPEC) return "it is not one of version 1";
    if (!(data = malloc(header[1] + 1))) return "there is no memory for it";
    want += header[1];
  }
  errno = EINVAL;
  return spec_parse(&spec, data, header[1]);
}

static int watch_signals(void) {
  sigset_t watched;
  sigemptyset(&watched);
  sigaddset(&watched, SIGCHLD), sigaddset(&watched, SIGWINCH), sigaddset(&watched, SIGCONT);
  sigprocmask(SIG_SETMASK, &watched, NULL);
  /* The supervisor hears these too and says what they mean for the workload. */
  signal(SIGINT, SIG_IGN), signal(SIGQUIT, SIG_IGN), signal(SIGHUP, SIG_IGN), signal(SIGPIPE, SIG_IGN), signal(SIGTTOU, SIG_IGN);
  return signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
}

int main(int argc, char **argv) {
  const char *mode = argc == 2 ? argv[1] : "", *problem;
  int probing = strcmp(mode, "--probe") == 0, checking = strcmp(mode, "--check") == 0;
  if (probing || checking) {
    problem = read_spec(0);
    return probing ? probe(&spec) : puts(problem ? problem : "ok") < 0;
  }
  tell("hello %ld", landlock_abi());
  if ((problem = read_spec(CONTROL_FD))) give_up("specification", problem);
  prctl(PR_SET_NAME, "openshell-launch");
  syscall(SYS_close_range, HANDLE_FD + 1, ~0U, 0);
  int signals = watch_signals();
  start_init();
  close(HANDLE_FD);
  if (!(spec.flags & F_PTY)) close(0), close(1), close(2);

  for (int alive = 1; alive;) {
    struct pollfd waits[5] = {{.fd = CONTROL_FD, .events = POLLIN}, {.fd = m.init_socket, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    terminal_wait(&waits[3]);
    if (poll(waits, 5, -1) < 0 && errno != EINTR) break;
    if (waits[1].revents) take_report();
    /* Before our own signals: an order to stop that came before we were stopped must not undo being continued. */
    if (waits[0].revents && !take_orders()) break;
    if (waits[2].revents) take_signals(signals);
    if (waits[3].revents || waits[4].revents) terminal_pump(&waits[3]);
    alive = waitpid(m.init, NULL, WNOHANG) == 0;
    if (!alive) m.init = -1;
  }
  if (m.init > 0) kill(m.init, SIGKILL), waitpid(m.init, NULL, 0);
  while (m.init_socket >= 0) take_report(); /* what was said before the end */
  terminal_drain();
  if (m.exited) tell("exit %d %d", m.exit_code, m.exit_signal);
  else tell("lost");
  say_goodbye();
  return 0;
}
