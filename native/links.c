#include "copy.h"

#define FIRST_ROOM 256
#define BLOCK_SIZE (64 * 1024)

static size_t place(const struct links *links, u64 device, u64 inode) {
  u64 hash = (inode ^ device << 32) * 0x9e3779b97f4a7c15ULL;
  size_t at = (hash >> 20) & (links->room - 1);
  while (links->entries[at].path != NULL && (links->entries[at].inode != inode || links->entries[at].device != device)) {
    at = (at + 1) & (links->room - 1);
  }
  return at;
}

const char *find_link(const struct links *links, u64 device, u64 inode) {
  return links->room == 0 ? NULL : links->entries[place(links, device, inode)].path;
}

static bool grow(struct links *links) {
  struct links bigger = *links;
  bigger.room = links->room == 0 ? FIRST_ROOM : links->room * 2;
  bigger.entries = map_memory(bigger.room * sizeof(struct link_entry));
  if (bigger.entries == NULL) return false;
  for (size_t i = 0; i < links->room; i++) {
    struct link_entry *entry = &links->entries[i];
    if (entry->path != NULL) bigger.entries[place(&bigger, entry->device, entry->inode)] = *entry;
  }
  if (links->room > 0) unmap_memory(links->entries, links->room * sizeof(struct link_entry));
  *links = bigger;
  return true;
}

static bool new_block(struct links *links) {
  void **block = map_memory(BLOCK_SIZE);
  if (block == NULL) return false;
  *block = links->blocks;
  links->blocks = block;
  links->names = (struct text){(char *)block, sizeof(void *), BLOCK_SIZE, false};
  return true;
}

static char *keep_path(struct links *links, const char *path) {
  size_t size = strlen(path) + 1;
  if (links->blocks == NULL || links->names.room - links->names.size < size) {
    if (!new_block(links)) return NULL;
  }
  char *kept = links->names.start + links->names.size;
  put_bytes(&links->names, path, size);
  return kept;
}

void add_link(struct links *links, u64 device, u64 inode, const char *path) {
  if (links->count * 2 >= links->room && !grow(links)) return;
  char *kept = keep_path(links, path);
  if (kept == NULL) return;
  links->entries[place(links, device, inode)] = (struct link_entry){device, inode, kept};
  links->count++;
}

void forget_links(struct links *links) {
  while (links->blocks != NULL) {
    void *before = *(void **)links->blocks;
    unmap_memory(links->blocks, BLOCK_SIZE);
    links->blocks = before;
  }
  unmap_memory(links->entries, links->room * sizeof(struct link_entry));
  links->entries = NULL;
  links->room = links->count = 0;
}
