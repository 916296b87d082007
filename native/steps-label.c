/* Steps about SELinux labels, and the keyring that has one. */
#include "actor.h"

#define KEYCTL_JOIN_SESSION_KEYRING 1
#define KEYCTL_SETPERM 5
#define KEY_SPEC_SESSION_KEYRING (-3)

long step_join_keyring(struct actor *self, const struct step *step) {
  long result = sys(keyctl, KEYCTL_JOIN_SESSION_KEYRING, text_argument(self, step->args[0]));
  if (result < 0 || step->args[1] == 0) return result < 0 ? result : 0;
  return sys(keyctl, KEYCTL_SETPERM, KEY_SPEC_SESSION_KEYRING, step->args[1]);
}

/* A mount's own descriptor is for its path alone, and takes no attributes. */
long step_label_mount(struct actor *self, const struct step *step) {
  const char *label = text_argument(self, step->args[1]);
  long directory = sys(openat, fd_argument(self, step->args[0]), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (directory < 0) return directory;
  long result = sys(fsetxattr, directory, "security.selinux", label, strlen(label) + 1, 0);
  close_fd((int)directory);
  return result;
}

long step_label_masks(struct actor *self, const struct step *step) {
  self->mask_label = text_argument(self, step->args[0]);
  return 0;
}
