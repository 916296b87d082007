/* Device nodes and fifos, made where they are not there yet. */
#include "actor.h"

/* The node itself, no link to one: types are compared, and numbers where the type has one. */
static bool is_same_node(int dir, const char *path, u32 mode, u64 device) {
  struct stat stat;
  if (sys(newfstatat, dir, path, &stat, AT_SYMLINK_NOFOLLOW) < 0) return false;
  u32 type = mode & S_IFMT;
  return (stat.st_mode & S_IFMT) == type && (type == S_IFIFO || stat.st_rdev == device);
}

long step_make_node(struct actor *self, const struct step *step) {
  int dir = fd_argument(self, step->args[0]);
  const char *path = text_argument(self, step->args[1]);
  u32 mode = (u32)step->args[2];
  long result = sys(mknodat, dir, path, mode, step->args[3]);
  return result == -EEXIST && is_same_node(dir, path, mode, step->args[3]) ? 0 : result;
}
