/* Copies single files with everything that belongs to them, and remembers which have several names. */
#ifndef COPY_H
#define COPY_H

#include "base.h"

/* Copies what is no directory to a new name. */
long copy_file(int from_dir, int to_dir, const char *name, const struct stat *stat);
/* Owner, mode, xattrs and times, in the order in which none undoes another. */
long copy_attributes(int from, int to, const struct stat *stat);

/* Paths by device and inode. */
struct link_entry {
  u64 device;
  u64 inode;
  char *path;
};

struct links {
  struct link_entry *entries;
  size_t room; /* a power of two */
  size_t count;
  struct text names; /* the block that new paths go to; earlier ones stay where they are */
  void *blocks;      /* each block begins with a pointer to the one before */
};

const char *find_link(const struct links *links, u64 device, u64 inode);
/* Without memory the file is copied again, so nothing is told. */
void add_link(struct links *links, u64 device, u64 inode, const char *path);
void forget_links(struct links *links);

#endif
