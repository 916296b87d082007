/* Steps that mount: configuration of new file systems, hidden and read-only paths. */
#include "actor.h"
#include "resolve.h"

#include <linux/mount.h>

long step_fsconfig_string(struct actor *self, const struct step *step) {
  return sys(fsconfig, fd_argument(self, step->args[0]), FSCONFIG_SET_STRING, text_argument(self, step->args[1]),
             text_argument(self, step->args[2]), 0);
}

long step_fsconfig_flag(struct actor *self, const struct step *step) {
  return sys(fsconfig, fd_argument(self, step->args[0]), FSCONFIG_SET_FLAG, text_argument(self, step->args[1]), 0, 0);
}

long step_fsconfig_fd(struct actor *self, const struct step *step) {
  return sys(fsconfig, fd_argument(self, step->args[0]), FSCONFIG_SET_FD, text_argument(self, step->args[1]), 0,
             fd_argument(self, step->args[2]));
}

long step_fsconfig_create(struct actor *self, const struct step *step) {
  return sys(fsconfig, fd_argument(self, step->args[0]), FSCONFIG_CMD_CREATE, 0, 0, 0);
}

static const char *octal_digits(char digits[8], u32 mode) {
  char *at = digits + 7;
  *at = 0;
  do *--at = (char)('0' + (mode & 7));
  while ((mode >>= 3) != 0);
  return at;
}

static bool is_missing(long error) {
  return error == -ENOENT || error == -ENOTDIR;
}

long step_fsconfig_mode_of(struct actor *self, const struct step *step) {
  struct stat stat;
  char digits[8];
  long directory =
      open_in_root(fd_argument(self, step->args[1]), text_argument(self, step->args[2]), O_PATH | O_DIRECTORY);
  if (directory < 0) return is_missing(directory) ? 0 : directory;
  long result = sys(fstat, directory, &stat);
  close_fd((int)directory);
  if (result < 0) return result;
  return sys(fsconfig, fd_argument(self, step->args[0]), FSCONFIG_SET_STRING, "mode",
             octal_digits(digits, stat.st_mode & 07777), 0);
}

static long copy_mount(int fd, u32 flags) {
  return sys(open_tree, fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
}

static long place_mount(int mount, int target) {
  return sys(move_mount, mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static long new_empty_tmpfs(const char *label) {
  long fs = sys(fsopen, "tmpfs", FSOPEN_CLOEXEC);
  if (fs < 0) return fs;
  sys(fsconfig, fs, FSCONFIG_SET_STRING, "source", "tmpfs", 0);
  sys(fsconfig, fs, FSCONFIG_SET_STRING, "mode", "555", 0);
  sys(fsconfig, fs, FSCONFIG_SET_FLAG, "ro", 0, 0);
  long result = label == NULL ? 0 : sys(fsconfig, fs, FSCONFIG_SET_STRING, "context", label, 0);
  if (result >= 0) result = sys(fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0);
  if (result >= 0) {
    result = sys(fsmount, fs, FSMOUNT_CLOEXEC,
                 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  }
  close_fd((int)fs);
  return result;
}

/*
 * A new file system costs more than a copy of its mount: all hidden directories of an actor share one. The first of them is hidden by
 * that mount itself, since before Linux 6.15 no mount can be copied that is not attached anywhere.
 */
static long empty_directory(struct actor *self) {
  if (self->empty_mount >= 0) return copy_mount(self->empty_mount, 0);
  long made = new_empty_tmpfs(self->mask_label);
  if (made >= 0) self->empty_mount = (int)made;
  return made;
}

static long null_device(int root) {
  long null = open_null(root, O_PATH);
  if (null < 0) return null;
  long copy = copy_mount((int)null, 0);
  close_fd((int)null);
  return copy;
}

long step_map_mount(struct actor *self, const struct step *step) {
  int namespace = fd_argument(self, step->args[1]);
  if (namespace < 0) return -EBADF;
  struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (u64)namespace};
  return sys(mount_setattr, fd_argument(self, step->args[0]), "", AT_EMPTY_PATH | step->args[2], &attr, sizeof attr);
}

long step_mask_path(struct actor *self, const struct step *step) {
  int root = fd_argument(self, step->args[0]);
  long target = open_in_root(root, text_argument(self, step->args[1]), O_PATH);
  if (target < 0) return is_missing(target) ? 0 : target;
  long type = file_type((int)target);
  long cover = type < 0 ? type : type == S_IFDIR ? empty_directory(self) : null_device(root);
  long result = cover < 0 ? cover : place_mount((int)cover, (int)target);
  if (cover >= 0 && cover != self->empty_mount) close_fd((int)cover);
  close_fd((int)target);
  return result;
}

long step_readonly_path(struct actor *self, const struct step *step) {
  struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
  long target = open_in_root(fd_argument(self, step->args[0]), text_argument(self, step->args[1]), O_PATH);
  if (target < 0) return is_missing(target) ? 0 : target;
  long copy = copy_mount((int)target, AT_RECURSIVE), result = copy;
  if (copy >= 0) result = sys(mount_setattr, copy, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr);
  if (result >= 0) result = place_mount((int)copy, (int)target);
  if (copy >= 0) close_fd((int)copy);
  close_fd((int)target);
  return result;
}
