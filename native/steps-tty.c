/* Steps about terminals and standard streams. */
#include "actor.h"
#include "relay.h"
#include "resolve.h"
#include "socket.h"

#include <asm/termios.h>

static bool is_ptmx(int fd) {
  struct statfs fs;
  return is_device(fd, 5, 2) && sys(fstatfs, fd, &fs) >= 0 && fs.f_type == DEVPTS_SUPER_MAGIC;
}

long step_open_ptmx(struct actor *self, const struct step *step) {
  long fd = open_in_root(fd_argument(self, step->args[0]), text_argument(self, step->args[1]), O_RDWR | O_NOCTTY);
  if (fd < 0) return fd;
  if (is_ptmx((int)fd)) return fd;
  close_fd((int)fd);
  return -ENODEV;
}

long step_pty_peer(struct actor *self, const struct step *step) {
  int master = fd_argument(self, step->args[0]), unlock = 0;
  long result = sys(ioctl, master, TIOCSPTLCK, &unlock);
  return result < 0 ? result : sys(ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

long step_set_controlling_tty(struct actor *self, const struct step *step) {
  return sys(ioctl, fd_argument(self, step->args[0]), TIOCSCTTY, 0);
}

long step_set_window_size(struct actor *self, const struct step *step) {
  struct winsize size = {.ws_row = (u16)step->args[1], .ws_col = (u16)step->args[2]};
  return sys(ioctl, fd_argument(self, step->args[0]), TIOCSWINSZ, &size);
}

/* O_NONBLOCK, so that a pipe in the place of /dev/null blocks nobody before it is found out. */
static long open_plain_null(void) {
  long fd = open_null(AT_FDCWD, O_RDWR | O_NOCTTY | O_NONBLOCK);
  if (fd >= 0) sys(fcntl, fd, F_SETFL, O_RDWR);
  return fd;
}

long step_set_stdio(struct actor *self, const struct step *step) {
  long null = -1, result = 0;
  for (int stream = 0; stream < 3 && result >= 0; stream++) {
    int fd = fd_argument(self, step->args[stream]);
    if (step->args[stream] == SLOT_NONE) {
      if (null < 0) null = open_plain_null();
      fd = (int)null;
    }
    result = fd < 0 && step->args[stream] == SLOT_NONE ? null : sys(dup3, fd, stream, 0);
  }
  if (null >= 0) close_fd((int)null);
  return result < 0 ? result : 0;
}

/* Console sockets expect a name, and do not look at it. */
static const struct io_slice console_name = {"/dev/ptmx", sizeof "/dev/ptmx" - 1};

long step_send_console(struct actor *self, const struct step *step) {
  return send_descriptor_to(text_argument(self, step->args[0]), fd_argument(self, step->args[1]), console_name);
}

long step_send_console_to(struct actor *self, const struct step *step) {
  int tty = fd_argument(self, step->args[1]);
  leave_newlines(tty); /* before the process writes: its parent in the foreground may come later */
  return send_descriptor(fd_argument(self, step->args[0]), tty, console_name);
}

long step_passed_fd(struct actor *self, const struct step *step) {
  (void)step;
  return self->passed < 0 ? -EBADF : sys(fcntl, self->passed, F_DUPFD_CLOEXEC, 3);
}

/* Streams of a file system that knows no owners, or that is read-only, or of another user namespace, stay as they are. */
static bool may_stay_foreign(long error) {
  return error == -EINVAL || error == -EPERM || error == -EROFS;
}

long step_own_stdio(struct actor *self, const struct step *step) {
  (void)self;
  for (int stream = 0; stream < 3; stream++) {
    struct stat stat;
    if (sys(fstat, stream, &stat) < 0 || stat.st_uid == step->args[0] || is_device(stream, 1, 3)) continue;
    long result = sys(fchown, stream, step->args[0], step->args[1]);
    if (result < 0 && !may_stay_foreign(result)) return result;
  }
  return 0;
}

/* Without one of the container's own, the host's stays. */
long step_reopen_null(struct actor *self, const struct step *step) {
  (void)self;
  (void)step;
  long null = -1;
  for (int stream = 0; stream < 3; stream++) {
    if (!is_device(stream, 1, 3)) continue;
    if (null < 0) null = open_plain_null();
    if (null < 0) return 0;
    long result = sys(dup3, null, stream, 0);
    if (result < 0) return result;
  }
  if (null >= 0) close_fd((int)null);
  return 0;
}
