/*
 * pid 1 of the sandbox: builds the boundary (isolation design, 1 to 3), starts the workload, then stays behind
 * without any privilege: forwards signals, reaps, reports the exit as it was, and takes the sandbox with it.
 */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct init {
  int monitor, signals, status, go, tty;
  pid_t workload;
};

static int pty_open(const struct spec *spec, int *master) {
  int unlock = 0;
  *master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (*master < 0 || ioctl(*master, TIOCSPTLCK, &unlock)) fail("terminal", "/dev/ptmx");
  struct winsize size = {.ws_row = (unsigned short)spec->rows, .ws_col = (unsigned short)spec->columns};
  if (spec->rows) ioctl(*master, TIOCSWINSZ, &size);
  int slave = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) fail("terminal", "peer");
  /* The terminal belongs to whoever runs on it. */
  if (!(spec->flags & F_USERNS) && fchown(slave, spec->uid, spec->gid)) fail("terminal", "owner");
  if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0)) fail("controlling terminal", NULL);
  return slave;
}

static void start_workload(const struct spec *spec, struct init *self) {
  int go[2], status[2];
  if (pipe2(go, O_CLOEXEC) || pipe2(status, O_CLOEXEC)) fail("pipe", NULL);
  self->workload = fork();
  if (self->workload < 0) fail("fork", NULL);
  if (self->workload == 0) {
    close(go[1]), close(status[0]);
    fail_fd = status[1];
    sigset_t none;
    sigemptyset(&none);
    signal(SIGTTOU, SIG_IGN); /* it takes the foreground before it has it */
    for (int number = 1; number < 32; number++)
      if (number != SIGTTOU) signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    workload_run(spec, go[0], self->tty);
  }
  close(go[0]), close(status[1]);
  self->go = go[1], self->status = status[0];
}

/* End of file means that execve closed the pipe; anything else names the step that failed. */
static void take_status(struct init *self) {
  struct report report;
  ssize_t n = read(self->status, &report, sizeof report);
  if (n < 0 && errno == EINTR) return;
  if (n == sizeof report) {
    send_with_fds(self->monitor, &report, sizeof report, NULL, 0);
    _exit(125);
  }
  report_send(self->monitor, R_STARTED, self->workload, 0, NULL, 0);
  close(self->status);
  self->status = -1;
}

static void take_order(struct init *self) {
  struct report order;
  if (report_receive(self->monitor, &order, NULL, NULL) != sizeof order) _exit(125); /* the monitor is gone */
  if (order.type == O_RUN && self->go >= 0) {
    if (write(self->go, "", 1) != 1) _exit(125);
    close(self->go);
    self->go = -1;
  }
  if (order.type == O_SIGNAL && self->workload > 0 && (!order.b || kill(-self->workload, order.a))) kill(self->workload, order.a);
}

static void reap(const struct init *self, int watch_stops) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG | (watch_stops ? WUNTRACED : 0))) > 0) {
    if (pid != self->workload) continue;
    if (WIFSTOPPED(status)) {
      report_send(self->monitor, R_STOPPED, WSTOPSIG(status), 0, NULL, 0);
      continue;
    }
    report_send(self->monitor, R_EXIT, WIFEXITED(status) ? WEXITSTATUS(status) : 0, WIFSIGNALED(status) ? WTERMSIG(status) : 0, NULL, 0);
    if (self->status < 0 || WIFSIGNALED(status)) _exit(0); /* the kernel ends everything else in the sandbox */
  }
}

void init_run(const struct spec *spec, int monitor, const int *idmap_fds) {
  struct init self = {.monitor = monitor, .status = -1, .go = -1, .tty = -1};
  struct report order;
  fail_fd = monitor;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (report_receive(monitor, &order, NULL, NULL) != sizeof order || order.type != O_GO_ON) _exit(125);
  int listeners = network_bring_up(spec);
  close(HANDLE_FD);
  mounts_build(spec, idmap_fds);
  if (spec->hostname && syscall(SYS_sethostname, spec->hostname, strlen(spec->hostname))) fail("host name", spec->hostname);

  int given[3] = {open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), network_diagnostics(), -1};
  if (given[0] < 0 || given[1] < 0) fail("identity descriptors", NULL);
  if (spec->flags & F_PTY) self.tty = pty_open(spec, &given[2]);
  if (report_send(monitor, R_READY, listeners, 0, given, given[2] < 0 ? 2 : 3)) _exit(125);
  for (int i = 0; i < 3; i++)
    if (given[i] >= 0) close(given[i]);

  sigset_t watched;
  sigemptyset(&watched);
  sigaddset(&watched, SIGCHLD);
  sigprocmask(SIG_SETMASK, &watched, NULL);
  self.signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
  if (!(spec->flags & F_HOLD)) start_workload(spec, &self);
  for (int fd = 0; fd < 3; fd++) close(fd); /* so that a reader of the workload's output sees its end */
  drop_privileges(spec);
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* changing the user cleared it */
  prctl(PR_SET_NAME, "openshell-init");

  for (;;) {
    struct pollfd waits[] = {{.fd = monitor, .events = POLLIN}, {.fd = self.signals, .events = POLLIN}, {.fd = self.status, .events = POLLIN}};
    if (poll(waits, 3, -1) < 0 && errno != EINTR) _exit(125);
    if (waits[2].revents) take_status(&self); /* before reap: started comes before exited */
    if (waits[1].revents) {
      struct signalfd_siginfo info;
      while (read(self.signals, &info, sizeof info) > 0) continue;
      reap(&self, spec->flags & F_PTY);
    }
    if (waits[0].revents) take_order(&self);
  }
}
