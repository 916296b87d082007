/* The wait of a container that is created and not yet started. */
#include "actor.h"
#include "sealed.h"

/* For as long as it waits, and that may be for ever, only what is still needed stays open. */
static void close_set_up(struct actor *self) {
  int keep[] = {self->gate, self->peer};
  close_all_but(3 + self->preserved, keep, 2);
  for (u32 i = 0; i < SLOT_LIMIT; i++) self->slots[i] = -1;
  self->empty_mount = -1;
}

/* The first process of a pid namespace ignores what it has no handler for; what is blocked is not ignored but kept for a reader. */
static int take_endings(void) {
  const u64 endings = 1ULL << (SIGHUP - 1) | 1ULL << (SIGINT - 1) | 1ULL << (SIGTERM - 1);
  sys(rt_sigprocmask, SIG_BLOCK, &endings, 0, 8);
  return (int)sys(signalfd4, -1, &endings, 8, O_CLOEXEC | O_NONBLOCK);
}

/* Who waits and is told to end, ends: nothing of the container runs yet that could be asked. */
static void await_gate(int gate) {
  struct pollfd files[] = {{gate, POLLIN, 0}, {take_endings(), POLLIN, 0}};
  const u64 none = 0;
  while (files[0].revents == 0) {
    sys(ppoll, files, 2, 0, 0, 8);
    if (files[1].revents != 0) end_process(128 + SIGTERM);
  }
  close_fd(files[1].fd);
  sys(rt_sigprocmask, SIG_SETMASK, &none, 0, 8);
}

long step_await_start(struct actor *self, const struct step *step) {
  char byte;
  long size;
  self->gate = fd_argument(self, step->args[0]);
  if (self->gate < 0) return -EBADF;
  close_set_up(self);
  await_gate(self->gate);
  do size = sys(read, self->gate, &byte, 1);
  while (size == -EINTR);
  if (size < 0) return size;
  return size == 1 ? 0 : -ECANCELED;
}
