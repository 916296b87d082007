#include "relay.h"

#define DRAIN_LIMIT 4096U

static long receive_descriptor(int socket) {
  char name[4096];
  struct rights rights = {.fd = -1};
  struct io_slice slice = {name, sizeof name};
  struct message message = {.slices = &slice, .slice_count = 1, .control = &rights, .control_size = sizeof rights};
  long size;
  do size = sys(recvmsg, socket, &message, MSG_CMSG_CLOEXEC_);
  while (size == -EINTR);
  if (size < 0) return size;
  return message.control_size >= RIGHTS_SIZE && rights.type == SCM_RIGHTS_ ? rights.fd : -EBADF;
}

/* Standard error first: it is the one that is redirected least. */
static int find_terminal(struct termios *settings) {
  for (int fd = 2; fd >= 0; fd--) {
    if (sys(ioctl, fd, TCGETS, settings) >= 0) return fd;
  }
  long fd = sys(openat, AT_FDCWD, "/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY, 0);
  if (fd >= 0 && sys(ioctl, fd, TCGETS, settings) >= 0) return (int)fd;
  if (fd >= 0) close_fd((int)fd);
  return -1;
}

/* Keys go to the container as they are. Output processing stays, as lines of this machine's own programs may be among the output. */
static void make_raw(const struct relay *relay) {
  struct termios raw = relay->before;
  raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  raw.c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
  raw.c_cflag |= CS8;
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  sys(ioctl, relay->terminal, TCSETSW, &raw);
}

/* The caller's terminal makes a carriage return of its own; in a file or a pipe nobody wants one. */
void leave_newlines(int master) {
  struct termios settings;
  if (sys(ioctl, master, TCGETS, &settings) < 0) return;
  settings.c_oflag &= ~(tcflag_t)ONLCR;
  sys(ioctl, master, TCSETS, &settings);
}

long open_relay(struct relay *relay, int socket) {
  long master = receive_descriptor(socket);
  close_fd(socket);
  if (master < 0) return master;
  relay->master = (int)master;
  relay->reads_input = true;
  relay->terminal = find_terminal(&relay->before);
  leave_newlines(relay->master);
  sys(fcntl, master, F_SETFL, O_RDWR | O_NONBLOCK);
  if (relay->terminal >= 0) make_raw(relay);
  copy_window_size(relay);
  return 0;
}

void copy_window_size(const struct relay *relay) {
  struct { u16 rows, columns, x, y; } size;
  if (relay->master < 0 || relay->terminal < 0) return;
  if (sys(ioctl, relay->terminal, TIOCGWINSZ, &size) >= 0) sys(ioctl, relay->master, TIOCSWINSZ, &size);
}

short input_events(const struct relay *relay) {
  return relay->master >= 0 && relay->reads_input && relay->input_size == 0 ? POLLIN : 0;
}

short master_events(const struct relay *relay) {
  if (relay->master < 0) return 0;
  return (short)(POLLIN | (relay->input_size > 0 ? POLLOUT : 0));
}

void relay_input(struct relay *relay) {
  long size = sys(read, 0, relay->input, sizeof relay->input);
  if (size == -EINTR || size == -EAGAIN) return;
  if (size <= 0) relay->reads_input = false;
  relay->input_at = 0;
  relay->input_size = size > 0 ? (size_t)size : 0;
}

static void write_pending(struct relay *relay) {
  long put = sys(write, relay->master, relay->input + relay->input_at, relay->input_size);
  if (put == -EINTR || put == -EAGAIN) return;
  if (put < 0) put = (long)relay->input_size; /* nobody reads there any more */
  relay->input_at += (size_t)put;
  relay->input_size -= (size_t)put;
}

/* EAGAIN where there is nothing now; anything else that is no success: the other side has ended. */
static long copy_output(struct relay *relay) {
  u8 output[8192];
  long size = sys(read, relay->master, output, sizeof output);
  if (size == -EINTR) return 0;
  if (size <= 0) return size == 0 ? -EIO : size;
  write_fully(1, output, (size_t)size);
  return 0;
}

static void end_master(struct relay *relay) {
  close_fd(relay->master);
  relay->master = -1;
}

void relay_master(struct relay *relay, short events) {
  if (events & POLLOUT) write_pending(relay);
  if ((events & (POLLIN | POLLHUP | POLLERR)) == 0) return;
  long result = copy_output(relay);
  if (result < 0 && result != -EAGAIN) end_master(relay);
}

void close_relay(struct relay *relay) {
  /* Other processes may have the terminal and go on writing: what is there now is all that is taken. */
  for (u32 i = 0; relay->master >= 0 && i < DRAIN_LIMIT; i++) {
    if (copy_output(relay) < 0) end_master(relay);
  }
  if (relay->terminal >= 0) sys(ioctl, relay->terminal, TCSETSW, &relay->before);
}
