/* Where the two actors meet: numbered points and descriptors, over a socket whose end tells of the other's end. */
#include "actor.h"

enum { MEET_POINT = 1, MEET_DESCRIPTOR = 2, MEET_HEIR = 3 };

struct note {
  u32 kind;
  u32 point;
};

static bool point_reached(const struct actor *self, u64 point) {
  return (self->points[point / 64] >> (point % 64)) & 1;
}

static void keep_arrival(struct actor *self, int fd) {
  if (self->arrivals < ARRIVAL_LIMIT) self->arrived[self->arrivals++] = fd;
  else close_fd(fd);
}

/* Takes one note from the other actor; ECANCELED once there will be no more. */
static long take_note(struct actor *self) {
  struct note note = {0, 0};
  struct rights rights = {.fd = -1};
  struct io_slice slice = {&note, sizeof note};
  struct message message = {.slices = &slice, .slice_count = 1, .control = &rights, .control_size = sizeof rights};
  long size;
  if (self->peer < 0) return -ECANCELED;
  do size = sys(recvmsg, self->peer, &message, MSG_CMSG_CLOEXEC_);
  while (size == -EINTR);
  if (size <= 0) {
    self->peer_gone = true;
    return -ECANCELED;
  }
  /* Whoever could make the inside write here must gain nothing by it. */
  if (note.kind == MEET_POINT && note.point < SLOT_LIMIT) self->points[note.point / 64] |= 1ULL << (note.point % 64);
  if (message.control_size < RIGHTS_SIZE || rights.type != SCM_RIGHTS_) return 0;
  if (note.kind != MEET_HEIR) keep_arrival(self, rights.fd);
  else if (self->awaits_heir && self->heir == 0) {
    self->heir = (i32)note.point;
    self->heir_pidfd = rights.fd;
  } else close_fd(rights.fd);
  return 0;
}

static long send_note(struct actor *self, struct note note, int fd) {
  struct rights rights = {RIGHTS_SIZE, SOL_SOCKET, SCM_RIGHTS_, fd};
  struct io_slice slice = {&note, sizeof note};
  struct message message = {.slices = &slice, .slice_count = 1};
  if (fd >= 0) {
    message.control = &rights;
    message.control_size = sizeof rights;
  }
  long size;
  do size = sys(sendmsg, self->peer, &message, MSG_NOSIGNAL_);
  while (size == -EINTR);
  if (size != -EPIPE && size != -ECONNRESET) return size < 0 ? size : 0;
  self->peer_gone = true;
  return -ECANCELED;
}

/* Before the clone the inside simply inherits what has been reached. */
long step_signal(struct actor *self, const struct step *step) {
  u64 point = step->args[0];
  if (self->peer >= 0) return send_note(self, (struct note){MEET_POINT, (u32)point}, -1);
  self->points[point / 64] |= 1ULL << (point % 64);
  return 0;
}

long step_wait(struct actor *self, const struct step *step) {
  while (!point_reached(self, step->args[0])) {
    long result = take_note(self);
    if (result < 0) return result;
  }
  return 0;
}

long step_send_fd(struct actor *self, const struct step *step) {
  int fd = fd_argument(self, step->args[0]);
  if (fd < 0) return -EBADF;
  if (self->peer < 0) return -ENOTCONN;
  return send_note(self, (struct note){MEET_DESCRIPTOR, 0}, fd);
}

long step_recv_fd(struct actor *self, const struct step *step) {
  (void)step;
  while (self->arrivals == 0) {
    long result = take_note(self);
    if (result < 0) return result;
  }
  int fd = self->arrived[0];
  self->arrivals--;
  memmove(self->arrived, self->arrived + 1, self->arrivals * sizeof self->arrived[0]);
  return fd;
}

void announce_heir(struct actor *self, i32 pid, int pidfd) {
  send_note(self, (struct note){MEET_HEIR, (u32)pid}, pidfd);
}

long step_adopt(struct actor *self, const struct step *step) {
  int status;
  (void)step;
  if (self->inside || self->pid == 0) return -EINVAL;
  self->awaits_heir = true;
  while (self->heir == 0) {
    long result = take_note(self);
    if (result < 0) return result;
  }
  while (sys(wait4, self->pid, &status, 0, 0) == -EINTR) continue;
  self->awaits_heir = false;
  self->pid = self->heir;
  self->heir = 0;
  return self->pidfd = self->heir_pidfd;
}

void await_peer_end(struct actor *self) {
  while (self->peer >= 0 && take_note(self) == 0) continue;
}
