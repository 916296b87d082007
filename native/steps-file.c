/* Steps about files and descriptors. */
#include "actor.h"
#include "process.h"
#include "resolve.h"

long step_write_file(struct actor *self, const struct step *step) {
  struct bytes content = bytes_argument(self, step->args[2]);
  return write_file(fd_argument(self, step->args[0]), text_argument(self, step->args[1]), content.start, content.size,
                    O_WRONLY | (long)step->args[3], (u32)step->args[4]);
}

long step_write_pid(struct actor *self, const struct step *step) {
  char digits[24];
  struct text text = {digits, 0, sizeof digits, false};
  put_number(&text, self->inside ? (u64)sys(getpid, 0) : (u64)self->pid);
  return write_file(fd_argument(self, step->args[0]), text_argument(self, step->args[1]), digits, text.size, O_WRONLY, 0);
}

long step_write_identity(struct actor *self, const struct step *step) {
  char words[48];
  struct text text = {words, 0, sizeof words, false};
  i32 pid = self->inside ? (i32)sys(getpid, 0) : self->pid;
  put_number(&text, (u64)pid);
  put_text(&text, " ");
  put_number(&text, process_start_time(pid));
  return write_file(AT_FDCWD, text_argument(self, step->args[0]), words, text.size, O_WRONLY | O_CREAT | O_TRUNC, 0600);
}

static long file_contains(int dir, const char *path, struct bytes wanted) {
  char content[4096];
  long size = read_file(dir, path, content, sizeof content);
  return size < 0 ? size : contains((u8 *)content, (size_t)size, wanted.start, wanted.size);
}

long step_await_file(struct actor *self, const struct step *step) {
  struct bytes wanted = bytes_argument(self, step->args[2]);
  u64 end = monotonic_ns() + step->args[3] * 1000000;
  for (;;) {
    long found = file_contains(fd_argument(self, step->args[0]), text_argument(self, step->args[1]), wanted);
    if (found == 1) return 0;
    if (found < 0 && found != -ENOENT) return found;
    if (monotonic_ns() >= end) return -ETIMEDOUT;
    if (start_failed(self)) return -ECANCELED;
    sleep_ms(1);
  }
}

long step_open_proc(struct actor *self, const struct step *step) {
  (void)step;
  char path[64];
  if (!self->inside && self->pid == 0) return -ESRCH;
  return sys(openat, AT_FDCWD, process_path(path, self->inside ? 0 : self->pid, ""), O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

long step_pipe(struct actor *self, const struct step *step) {
  int ends[2];
  long result = sys(pipe2, ends, step->args[2]);
  if (result < 0) return result;
  fill_slot(self, (u32)step->args[0], ends[0]);
  fill_slot(self, (u32)step->args[1], ends[1]);
  return 0;
}

static long make_parents(char *path, u32 mode) {
  long result = 0;
  for (char *at = path + 1; *at != 0; at++) {
    if (*at != '/') continue;
    *at = 0;
    result = sys(mkdirat, AT_FDCWD, path, mode);
    *at = '/';
    if (result < 0 && result != -EEXIST) return result;
  }
  return 0;
}

long step_make_dirs(struct actor *self, const struct step *step) {
  char path[PATH_SIZE];
  struct text text = {path, 0, sizeof path, false};
  u32 mode = (u32)step->args[1];
  put_text(&text, text_argument(self, step->args[0]));
  finish_text(&text);
  if (text.full) return -ENAMETOOLONG;
  long result = sys(mkdirat, AT_FDCWD, path, mode);
  if (result == -ENOENT && text.size > 0) {
    result = make_parents(path, mode);
    if (result >= 0) result = sys(mkdirat, AT_FDCWD, path, mode);
  }
  return result == -EEXIST ? 0 : result;
}

static bool is_on(int fd, u64 magic) {
  struct statfs fs;
  return sys(fstatfs, fd, &fs) >= 0 && (u64)fs.f_type == magic;
}

/* The root of any procfs has inode 1. */
static bool is_proc_root(int fd) {
  struct stat stat;
  return is_on(fd, PROC_SUPER_MAGIC) && sys(fstat, fd, &stat) >= 0 && stat.st_ino == 1;
}

long step_verify(struct actor *self, const struct step *step) {
  int fd = fd_argument(self, step->args[0]);
  switch (step->args[1]) {
    case VERIFY_DEV_NULL:
      return is_device(fd, 1, 3) ? 0 : -EBADF;
    case VERIFY_PROC_ROOT:
      return is_proc_root(fd) ? 0 : -EBADF;
    case VERIFY_DEVPTS:
      return is_on(fd, DEVPTS_SUPER_MAGIC) ? 0 : -EBADF;
    case VERIFY_NOT_PROC:
      return is_on(fd, PROC_SUPER_MAGIC) ? -EBADF : 0;
    case VERIFY_CGROUP:
      return is_on(fd, CGROUP_SUPER_MAGIC) || is_on(fd, CGROUP2_SUPER_MAGIC) ? 0 : -EBADF;
    default:
      return -EINVAL;
  }
}
