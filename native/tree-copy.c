/* Copies a directory's content by descriptors: owners, modes, times, xattrs, holes, devices and hard links; what it is copied
   into keeps its own. One directory of each side is open at a time, as in tree-remove.c. */
#include "actor.h"
#include "copy.h"
#include "directory.h"
#include "resolve.h"

#include <linux/openat2.h>

struct level {
  u64 from_device, from_inode;
  u64 to_device, to_inode;
  int64_t position;
  u32 path_size; /* of the copy's path, before this level's name */
};

#define FIRST_LEVELS 64

struct copying {
  struct reader reader; /* of the directory that is being copied */
  int to;
  int top; /* the copy's root */
  struct level *levels;
  u32 depth;
  u32 room;
  struct text path; /* of `to`, relative to `top` */
  struct links links;
};

static bool same_file(int fd, u64 device, u64 inode) {
  struct stat stat;
  return sys(fstat, fd, &stat) >= 0 && stat.st_dev == device && stat.st_ino == inode;
}

static long push_level(struct copying *copying, int from, int to, u32 path_size) {
  struct stat source, copy;
  long result = sys(fstat, from, &source);
  if (result >= 0) result = sys(fstat, to, &copy);
  if (result < 0) return result;
  if (copying->depth == copying->room) {
    size_t size = copying->room * sizeof(struct level);
    long grown = sys(mremap, copying->levels, size, size * 2, 1 /* MREMAP_MAYMOVE */);
    if (grown < 0 && grown > -4096) return grown;
    copying->levels = (struct level *)grown;
    copying->room *= 2;
  }
  copying->levels[copying->depth++] =
      (struct level){source.st_dev, source.st_ino, copy.st_dev, copy.st_ino, 0, path_size};
  copying->to = to;
  read_from(&copying->reader, from, 0);
  return 0;
}

static void add_name(struct text *path, const char *name) {
  if (path->size > 0) put_text(path, "/");
  put_text(path, name);
}

static long open_below(int dir, const char *name) {
  return open_how(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH);
}

/* The copy is its owner's alone until its content is there; see finish_directory. */
static long descend(struct copying *copying, const char *name) {
  int from_parent = copying->reader.dir, to_parent = copying->to;
  u32 path_size = (u32)copying->path.size;
  long result = sys(mkdirat, to_parent, name, 0700);
  if (result < 0 && result != -EEXIST) return result;
  long from = open_below(from_parent, name), to = open_below(to_parent, name);
  result = from < 0 ? from : to;
  copying->levels[copying->depth - 1].position = copying->reader.next;
  if (result >= 0) result = push_level(copying, (int)from, (int)to, path_size);
  if (result >= 0) {
    add_name(&copying->path, name);
    close_fd(from_parent);
    close_fd(to_parent);
    return 0;
  }
  if (from >= 0) close_fd((int)from);
  if (to >= 0) close_fd((int)to);
  return result;
}

static long finish_directory(const struct copying *copying) {
  struct stat stat;
  long result = sys(fstat, copying->reader.dir, &stat);
  return result < 0 ? result : copy_attributes(copying->reader.dir, copying->to, &stat);
}

static long open_parent(int dir, u64 device, u64 inode) {
  long parent = sys(openat, dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (parent < 0 || same_file((int)parent, device, inode)) return parent;
  close_fd((int)parent);
  return -ESTALE; /* somebody has moved the directory meanwhile */
}

static long ascend(struct copying *copying) {
  const struct level *parent = &copying->levels[copying->depth - 2];
  long from = open_parent(copying->reader.dir, parent->from_device, parent->from_inode);
  long to = open_parent(copying->to, parent->to_device, parent->to_inode);
  if (from < 0 || to < 0) {
    if (from >= 0) close_fd((int)from);
    if (to >= 0) close_fd((int)to);
    return from < 0 ? from : to;
  }
  close_fd(copying->reader.dir);
  close_fd(copying->to);
  copying->path.size = copying->levels[--copying->depth].path_size;
  copying->path.full = false;
  copying->to = (int)to;
  read_from(&copying->reader, (int)from, parent->position);
  return 0;
}

/* Another name of a file that has been copied; a path too long to be remembered makes a second copy instead. */
static long link_again(struct copying *copying, const struct stat *stat, const char *name) {
  const char *first = find_link(&copying->links, stat->st_dev, stat->st_ino);
  if (first == NULL) return -ENOENT;
  long fd = open_how(copying->top, first, O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH);
  if (fd < 0) return fd;
  long result = sys(linkat, fd, "", copying->to, name, AT_EMPTY_PATH);
  close_fd((int)fd);
  return result;
}

static void remember_link(struct copying *copying, const struct stat *stat, const char *name) {
  size_t size = copying->path.size;
  add_name(&copying->path, name);
  if (!copying->path.full) add_link(&copying->links, stat->st_dev, stat->st_ino, finish_text(&copying->path));
  copying->path.size = size;
  copying->path.full = false;
}

static long copy_entry(struct copying *copying, const char *name) {
  struct stat stat;
  long result = sys(newfstatat, copying->reader.dir, name, &stat, AT_SYMLINK_NOFOLLOW);
  if (result < 0) return result == -ENOENT ? 0 : result;
  if ((stat.st_mode & S_IFMT) == S_IFDIR) return descend(copying, name);
  if (stat.st_nlink > 1 && link_again(copying, &stat, name) == 0) return 0;
  result = copy_file(copying->reader.dir, copying->to, name, &stat);
  if (result >= 0 && stat.st_nlink > 1) remember_link(copying, &stat, name);
  return result;
}

static long copy_all(struct copying *copying) {
  for (;;) {
    const struct directory_entry *entry = next_entry(&copying->reader);
    if (entry == NULL && copying->depth == 1) return 0;
    long result = entry != NULL ? copy_entry(copying, entry->name) : finish_directory(copying);
    if (result >= 0 && entry == NULL) result = ascend(copying);
    if (result < 0) return result;
  }
}

static long copy_content(int from, int to) {
  static char path[PATH_SIZE];
  struct copying copying = {.top = to, .to = -1, .reader.dir = -1, .room = FIRST_LEVELS, .path = {path, 0, PATH_SIZE, false}};
  copying.levels = map_memory(FIRST_LEVELS * sizeof(struct level));
  if (copying.levels == NULL) return -ENOMEM;
  long source = sys(openat, from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  long copy = sys(openat, to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  long result = source < 0 ? source : copy;
  if (result >= 0) result = push_level(&copying, (int)source, (int)copy, 0);
  if (result >= 0) result = copy_all(&copying);
  close_fd(copying.reader.dir);
  close_fd(copying.to);
  unmap_memory(copying.levels, copying.room * sizeof(struct level));
  forget_links(&copying.links);
  return result;
}

long step_copy_tree(struct actor *self, const struct step *step) {
  int from = fd_argument(self, step->args[0]), to = fd_argument(self, step->args[1]);
  return copy_content(from, to);
}
