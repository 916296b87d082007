/* Paths inside a root: nothing here ever leaves it, whatever links lie on the way. */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "base.h"

/* openat2 with the root as "/" and without magic links. */
long open_in_root(int root, const char *path, u64 flags);
/* The same for something that may have to be made: see `resolve` in src/recipe/ops.ts. O_PATH. */
long resolve_or_make(int root, const char *path, u64 kind, u32 mode);

/* openat2 relative to `dir` with RESOLVE_ flags. */
long open_how(int dir, const char *path, u64 flags, u64 resolve);
bool is_device(int fd, u32 major, u32 minor);
/* The file's type (S_IFMT bits), or an error. */
long file_type(int fd);
/* Opens /dev/null below `root` as O_PATH, or with other flags, and checks that it is the null device. */
long open_null(int root, u64 flags);

#endif
