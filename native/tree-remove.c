/* Deletes a tree by descriptors. One directory is open at a time, however deep the tree is: the way back leads through "..",
   and is taken only where it leads to the directory that was left. */
#include "actor.h"
#include "directory.h"
#include "resolve.h"

#include <linux/openat2.h>

/* A directory on the way from the top to the one being emptied. */
struct level {
  u64 device;
  u64 inode;
  int64_t position; /* of the entry below which the next level lies */
  u64 child;        /* the inode of that entry */
  u32 repeats;      /* how often in a row it was found filled again */
  u32 rescans;
  u32 failures;     /* entries that stay */
};

/* Against somebody who fills the tree as fast as it is emptied. */
#define REPEAT_LIMIT 64
/* A page: levels are kept in a growing mapping. */
#define FIRST_LEVELS 128

struct removal {
  struct reader reader;
  struct level *levels;
  u32 depth;
  u32 room;
  long error; /* the first one; the rest of the tree is deleted all the same */
};

static struct level *top_level(struct removal *removal) {
  return &removal->levels[removal->depth - 1];
}

static void note_failure(struct removal *removal, long error) {
  if (removal->error == 0) removal->error = error;
  top_level(removal)->failures++;
}

static long push_level(struct removal *removal, int dir) {
  struct stat stat;
  long result = sys(fstat, dir, &stat);
  if (result < 0) return result;
  if (removal->depth == removal->room) {
    size_t size = removal->room * sizeof(struct level);
    long grown = sys(mremap, removal->levels, size, size * 2, 1 /* MREMAP_MAYMOVE */);
    if (grown < 0 && grown > -4096) return grown;
    removal->levels = (struct level *)grown;
    removal->room *= 2;
  }
  removal->levels[removal->depth++] = (struct level){.device = stat.st_dev, .inode = stat.st_ino};
  read_from(&removal->reader, dir, 0);
  return 0;
}

/* A file system that is mounted below is not part of the tree: its files are not ours to delete. */
static long descend(struct removal *removal, const struct directory_entry *entry) {
  struct level *level = top_level(removal);
  level->repeats = level->child == entry->inode ? level->repeats + 1 : 0;
  if (level->repeats > REPEAT_LIMIT) return -ENOTEMPTY;
  level->child = entry->inode;
  level->position = removal->reader.position;
  long dir = open_how(removal->reader.dir, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
                      RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_NO_XDEV);
  if (dir < 0) return dir == -EXDEV ? -EBUSY : dir;
  int parent = removal->reader.dir;
  long result = push_level(removal, (int)dir);
  close_fd(result < 0 ? (int)dir : parent);
  return result;
}

static long remove_entry(struct removal *removal, const struct directory_entry *entry) {
  int dir = removal->reader.dir;
  long result = -EISDIR;
  if (entry->type != TYPE_DIRECTORY) result = sys(unlinkat, dir, entry->name, 0);
  if (result == -EISDIR || result == -EPERM) {
    long as_directory = sys(unlinkat, dir, entry->name, AT_REMOVEDIR);
    result = as_directory == -ENOTDIR ? result : as_directory;
  }
  if (result == -ENOTEMPTY || result == -EEXIST) return descend(removal, entry);
  return result == -ENOENT ? 0 : result;
}

/* Back to the parent, at the entry just emptied, which is tried again. */
static long ascend(struct removal *removal) {
  struct stat stat;
  u32 failures = top_level(removal)->failures;
  struct level *parent = &removal->levels[removal->depth - 2];
  long dir = sys(openat, removal->reader.dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (dir < 0) return dir;
  if (sys(fstat, dir, &stat) < 0 || stat.st_dev != parent->device || stat.st_ino != parent->inode) {
    close_fd((int)dir);
    return -ESTALE; /* somebody has moved the directory meanwhile */
  }
  close_fd(removal->reader.dir);
  removal->depth--;
  read_from(&removal->reader, (int)dir, parent->position);
  /* An entry that cannot be emptied is passed over; one that can is met again and removed. */
  if (failures > 0) {
    parent->failures++;
    next_entry(&removal->reader);
  }
  return 0;
}

/* Positions may shift while entries go: a directory is read again until a pass meets nothing. */
static bool read_again(struct removal *removal) {
  struct level *level = top_level(removal);
  if (removal->reader.met == 0 || level->failures > 0 || level->rescans++ > REPEAT_LIMIT) return false;
  read_from(&removal->reader, removal->reader.dir, 0);
  return true;
}

static long empty_tree(struct removal *removal) {
  for (;;) {
    const struct directory_entry *entry = next_entry(&removal->reader);
    if (entry != NULL) {
      long result = remove_entry(removal, entry);
      if (result < 0) note_failure(removal, result);
      continue;
    }
    if (read_again(removal)) continue;
    if (removal->depth == 1) return removal->error;
    long result = ascend(removal);
    if (result < 0) return result;
  }
}

static long empty_directory(int dir) {
  struct removal removal = {.room = FIRST_LEVELS};
  removal.levels = map_memory(FIRST_LEVELS * sizeof(struct level));
  if (removal.levels == NULL) return -ENOMEM;
  long result = push_level(&removal, dir);
  if (result >= 0) result = empty_tree(&removal);
  close_fd(removal.reader.dir);
  unmap_memory(removal.levels, removal.room * sizeof(struct level));
  return result;
}

long step_remove_tree(struct actor *self, const struct step *step) {
  int parent = fd_argument(self, step->args[0]);
  const char *path = text_argument(self, step->args[1]);
  long result = sys(unlinkat, parent, path, 0);
  if (result == -EISDIR || result == -EPERM) result = sys(unlinkat, parent, path, AT_REMOVEDIR);
  if (result != -ENOTEMPTY && result != -EEXIST) return result == -ENOENT ? 0 : result;
  long dir = sys(openat, parent, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
  if (dir < 0) return dir == -ENOENT ? 0 : dir;
  result = empty_directory((int)dir);
  if (result < 0) return result;
  result = sys(unlinkat, parent, path, AT_REMOVEDIR);
  return result == -ENOENT ? 0 : result;
}
