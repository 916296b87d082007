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

long step_await_start(struct actor *self, const struct step *step) {
  char byte;
  long size;
  self->gate = fd_argument(self, step->args[0]);
  if (self->gate < 0) return -EBADF;
  close_set_up(self);
  do size = sys(read, self->gate, &byte, 1);
  while (size == -EINTR);
  if (size < 0) return size;
  return size == 1 ? 0 : -ECANCELED;
}
