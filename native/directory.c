#include "directory.h"

void read_from(struct reader *reader, int dir, int64_t position) {
  reader->dir = dir;
  reader->position = reader->next = position;
  reader->met = reader->at = reader->size = 0;
  sys(lseek, dir, position, 0);
}

static bool is_self_or_parent(const char *name) {
  return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

static bool fill(struct reader *reader) {
  long size = sys(getdents64, reader->dir, reader->entries, sizeof reader->entries);
  reader->at = 0;
  reader->size = size > 0 ? (u32)size : 0;
  return size > 0;
}

const struct directory_entry *next_entry(struct reader *reader) {
  for (;;) {
    if (reader->at == reader->size && !fill(reader)) return NULL;
    const struct directory_entry *entry = (const void *)(reader->entries + reader->at);
    reader->at += entry->size;
    reader->position = reader->next;
    reader->next = entry->next;
    if (is_self_or_parent(entry->name)) continue;
    reader->met++;
    return entry;
  }
}
