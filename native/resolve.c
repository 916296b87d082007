#include "resolve.h"

#include "actor.h"

#include <linux/openat2.h>

#define LINK_LIMIT 40
#define RACE_LIMIT 64
#define PARENT_MODE 0755

long open_how(int dir, const char *path, u64 flags, u64 resolve) {
  struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve};
  long fd = -EAGAIN;
  /* EAGAIN: something was renamed or mounted while the kernel walked. */
  for (u32 i = 0; i < RACE_LIMIT && (fd == -EAGAIN || fd == -EINTR); i++) {
    fd = sys(openat2, dir, path, &how, sizeof how);
  }
  return fd;
}

long open_in_root(int root, const char *path, u64 flags) {
  return open_how(root, path[0] == 0 ? "." : path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

long file_type(int fd) {
  struct stat stat;
  long result = sys(fstat, fd, &stat);
  return result < 0 ? result : (long)(stat.st_mode & S_IFMT);
}

bool is_device(int fd, u32 major, u32 minor) {
  struct stat stat;
  if (sys(fstat, fd, &stat) < 0 || (stat.st_mode & S_IFMT) != S_IFCHR) return false;
  return stat.st_rdev == (major << 8 | minor);
}

long open_null(int root, u64 flags) {
  u64 within = root == AT_FDCWD ? 0 : RESOLVE_IN_ROOT;
  long fd = open_how(root, "/dev/null", flags | O_NOFOLLOW, within | RESOLVE_NO_MAGICLINKS);
  if (fd < 0) return fd;
  if (is_device((int)fd, 1, 3)) return fd;
  close_fd((int)fd);
  return -ENODEV;
}

/* A walk below the root, one component at a time. `done` is the path so far, without links, relative to the root. */
struct walk {
  int root;
  int here; /* the directory that `done` leads to; the root itself at first */
  u32 links;
  u64 kind;
  u32 mode;
  struct text done;
  char *rest; /* ends at the end of its buffer, so that a link's text can be put before it */
  char *rest_buffer;
};

static void go_to(struct walk *walk, int fd) {
  if (walk->here != walk->root) close_fd(walk->here);
  walk->here = fd;
}

static long go_up(struct walk *walk) {
  while (walk->done.size > 0 && walk->done.start[--walk->done.size] != '/') continue;
  if (walk->done.size == 0) {
    go_to(walk, walk->root);
    return 0;
  }
  long fd = open_how(walk->root, finish_text(&walk->done), O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
  if (fd >= 0) go_to(walk, (int)fd);
  return fd < 0 ? fd : 0;
}

static long go_down(struct walk *walk, int fd, const char *name) {
  if (walk->done.size > 0) put_text(&walk->done, "/");
  put_text(&walk->done, name);
  go_to(walk, fd);
  return walk->done.full ? -ENAMETOOLONG : 0;
}

/* Puts a link's text before what is left of the path; an absolute one starts at the root again. */
static long follow_link(struct walk *walk, int link) {
  char target[PATH_SIZE];
  if (++walk->links > LINK_LIMIT) return -ELOOP;
  long size = sys(readlinkat, link, "", target, sizeof target);
  if (size < 0) return size;
  if (size + 1 > walk->rest - walk->rest_buffer) return -ENAMETOOLONG;
  if (target[0] == '/') {
    walk->done.size = 0;
    go_to(walk, walk->root);
  }
  *--walk->rest = '/';
  walk->rest -= size;
  memcpy(walk->rest, target, (size_t)size);
  return 0;
}

static bool nothing_left(const char *rest) {
  while (*rest == '/') rest++;
  return *rest == 0;
}

static long make_component(const struct walk *walk, const char *name, bool last) {
  long result;
  if (!last) result = sys(mkdirat, walk->here, name, PARENT_MODE);
  else if (walk->kind == RESOLVE_DIRECTORY) result = sys(mkdirat, walk->here, name, walk->mode);
  else result = sys(mknodat, walk->here, name, S_IFREG | (walk->mode & 07777), 0);
  return result == -EEXIST ? 0 : result;
}

static long open_component(const struct walk *walk, const char *name) {
  return open_how(walk->here, name, O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH);
}

static long enter_component(struct walk *walk, const char *name, bool last) {
  long fd = open_component(walk, name);
  if (fd == -ENOENT) {
    long result = make_component(walk, name, last);
    if (result < 0) return result;
    fd = open_component(walk, name);
  }
  if (fd < 0) return fd;
  long type = file_type((int)fd), result;
  if (type == S_IFLNK) {
    result = follow_link(walk, (int)fd);
    close_fd((int)fd);
    return result;
  }
  if (type != S_IFDIR && !last) result = -ENOTDIR;
  else return go_down(walk, (int)fd, name);
  close_fd((int)fd);
  return result;
}

/* Cuts the next component off; false at the end of the path. */
static bool next_component(struct walk *walk, char name[256], long *error) {
  while (*walk->rest == '/') walk->rest++;
  size_t left = strlen(walk->rest), size = find_byte((u8 *)walk->rest, left, '/');
  if (left == 0) return false;
  if (size > 255) {
    *error = -ENAMETOOLONG;
    return false;
  }
  memcpy(name, walk->rest, size);
  name[size] = 0;
  walk->rest += size;
  return true;
}

static long walk_to_end(struct walk *walk) {
  char name[256];
  long error = 0;
  while (error == 0 && next_component(walk, name, &error)) {
    if (same_text(name, ".")) continue;
    error = same_text(name, "..") ? go_up(walk) : enter_component(walk, name, nothing_left(walk->rest));
  }
  return error;
}

static long make_in_root(int root, const char *path, u64 kind, u32 mode) {
  char done[PATH_SIZE], rest[2 * PATH_SIZE];
  size_t size = strlen(path) + 1;
  if (size > PATH_SIZE) return -ENAMETOOLONG;
  struct walk walk = {root, root, 0, kind, mode, {done, 0, sizeof done, false}, rest + sizeof rest - size, rest};
  memcpy(walk.rest, path, size);
  long error = walk_to_end(&walk);
  if (error == 0 && walk.here != root) return walk.here;
  go_to(&walk, root);
  return error < 0 ? error : open_in_root(root, ".", O_PATH);
}

long resolve_or_make(int root, const char *path, u64 kind, u32 mode) {
  u64 flags = O_PATH | (kind == RESOLVE_DIRECTORY ? O_DIRECTORY : 0);
  long fd = open_in_root(root, path, flags);
  return fd == -ENOENT && kind != RESOLVE_EXISTING ? make_in_root(root, path, kind, mode) : fd;
}

long step_resolve_like(struct actor *self, const struct step *step) {
  long type = file_type(fd_argument(self, step->args[2]));
  if (type < 0) return type;
  return resolve_or_make(fd_argument(self, step->args[0]), text_argument(self, step->args[1]),
                         type == S_IFDIR ? RESOLVE_DIRECTORY : RESOLVE_FILE, (u32)step->args[3]);
}

long step_resolve(struct actor *self, const struct step *step) {
  return resolve_or_make(fd_argument(self, step->args[0]), text_argument(self, step->args[1]), step->args[2],
                         (u32)step->args[3]);
}
