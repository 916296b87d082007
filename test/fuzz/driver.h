/* What the parts of the fuzzing driver share: docs/security.md, "Fuzzing". */
#ifndef DRIVER_H
#define DRIVER_H

#include "../../native/recipe.h"

#define INPUT_LIMIT (128U << 10)

/* Of the C library that the sanitizers bring along; its headers and the kernel's do not go together. */
void *malloc(size_t size);
void free(void *memory);
_Noreturn void abort(void);

struct input {
  u32 size;
  u8 *bytes;
};

/* Reads a recipe as the native program does and follows all that an accepted one holds. NULL, or why it was refused. */
const char *try_recipe(const u8 *bytes, u32 size);

/* How many edges the last recipe took that none before it had taken; forgets which those were. */
u32 new_edges(void);

u64 next_random(void);
void seed_random(u64 seed);
/* A number below `limit`, which is not 0. */
u32 below(u32 limit);

/* Changes an input of at most INPUT_LIMIT bytes in place, once or a few times; `other` is one to take parts from. */
void mutate(struct input *input, const struct input *other);

#endif
