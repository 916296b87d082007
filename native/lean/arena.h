#ifndef GALLEY_LEAN_ARENA_H
#define GALLEY_LEAN_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "quickjs.h"

/*
 * All memory of the engine, at one address in every process, so that it can be written to a file when all modules are loaded and be
 * mapped again by each start: nothing is parsed, loaded or evaluated then.
 */
struct arena {
  size_t used;
  /* What the starts need of the engine. */
  JSRuntime *runtime;
  JSContext *js;
  /* Freed blocks by class. */
  void *freed[96];
};

#define ARENA_BASE 0x100000000000UL
#define ARENA_SIZE (1UL << 30)
#define arena ((struct arena *)ARENA_BASE)

/* Room for the arena, all zero. */
bool open_arena(void);

/* The arena as it was written behind the program `path`; false where there is none. */
bool map_arena(const char *path);

/* Appends the arena to the open program. */
bool write_arena(int program);

extern const JSMallocFunctions arena_functions;

#endif
