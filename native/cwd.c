/* The working directory: entered by whoever may, root or the process's user, and never outside of the root. */
#include "actor.h"

long step_try_chdir(struct actor *self, const struct step *step) {
  long result = sys(chdir, text_argument(self, step->args[0]));
  self->cwd_refused = result == -EACCES || result == -EPERM;
  return self->cwd_refused ? 0 : result;
}

long step_retry_chdir(struct actor *self, const struct step *step) {
  return self->cwd_refused ? sys(chdir, text_argument(self, step->args[0])) : 0;
}

/* The kernel marks a working directory that cannot be reached from the root. */
long step_check_cwd(struct actor *self, const struct step *step) {
  (void)self, (void)step;
  char path[PATH_SIZE];
  long size = sys(getcwd, path, sizeof path);
  if (size < 0) return size;
  return path[0] == '/' ? 0 : -ENOENT;
}
