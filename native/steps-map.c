/* Maps of IDs, which some users may write themselves and others have written. */
#include "actor.h"

/* "PROGRAM", "PID", then what is in the step. */
static void put_arguments(struct text *text, const struct actor *self, const struct step *step) {
  struct bytes rest = bytes_argument(self, step->args[4]);
  put_text(text, text_argument(self, step->args[3]));
  put_bytes(text, "", 1);
  put_number(text, (u64)self->pid);
  put_bytes(text, "", 1);
  put_bytes(text, rest.start, rest.size);
}

static long run_mapper(struct actor *self, const struct step *step) {
  size_t room = strlen(text_argument(self, step->args[3])) + bytes_argument(self, step->args[4]).size + 32;
  struct text text = {map_memory(room), 0, room, false};
  if (text.start == NULL) return -ENOMEM;
  put_arguments(&text, self, step);
  const struct bytes arguments = {(u8 *)text.start, text.size}, none = {0};
  const struct program program = {NULL, arguments, none, text_argument(self, step->args[5])};
  long result = run_program(self, &program, none, 0);
  unmap_memory(text.start, room);
  return result;
}

long step_map_ids(struct actor *self, const struct step *step) {
  struct bytes lines = bytes_argument(self, step->args[2]);
  if (self->inside) return -EINVAL;
  long result = write_file(fd_argument(self, step->args[0]), text_argument(self, step->args[1]), lines.start, lines.size, O_WRONLY, 0);
  return result == -EPERM ? run_mapper(self, step) : result;
}
