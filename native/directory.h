/* Reads a directory entry by entry, "." and ".." left out. */
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include "base.h"

struct reader {
  int dir;
  int64_t position; /* at which the last entry can be read again */
  int64_t next;
  u32 met; /* entries since read_from */
  u32 at;
  u32 size;
  _Alignas(8) u8 entries[4096];
};

void read_from(struct reader *reader, int dir, int64_t position);
/* NULL at the end, and where the directory cannot be read any more. */
const struct directory_entry *next_entry(struct reader *reader);

#endif
