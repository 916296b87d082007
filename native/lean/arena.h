#ifndef GALLEY_LEAN_ARENA_H
#define GALLEY_LEAN_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quickjs.h"

/*
 * All memory of the engine, at one address in every process, so that it can be written to a file when all modules are loaded and be
 * mapped again by each start: nothing is parsed, loaded or evaluated then.
 *
 * What a start writes to lies together, and what it reads: a page that is touched for the first time is what a start waits for most. An
 * order tells which blocks these are, by the place of an allocation among all; every load makes the same ones in the same sequence.
 */
enum { WRITTEN, READ, REST, REGIONS };

struct arena {
  /* What the starts need of the engine. */
  JSRuntime *runtime;
  JSContext *js;
  uint64_t allocations;
  /* Where each region begins, and how far it is in use; the last one has no end. */
  size_t start[REGIONS], used[REGIONS];
  /* Where a start's new memory has pages up to; zero while the modules are loaded. */
  size_t populated;
  /* Freed blocks by class. */
  void *freed[REGIONS][96];
};

struct block {
  uint32_t class;
  /* Its place among the allocations. */
  uint32_t ordinal;
};

/* As it is in a file: regions[i] is that of the i-th allocation. */
struct order {
  uint64_t written, read, count;
  uint8_t regions[];
};

#define ARENA_BASE 0x100000000000UL
#define ARENA_SIZE (1UL << 30)
#define arena ((struct arena *)ARENA_BASE)

/* Room for the arena, all zero. Without an order all blocks are in the last region. */
bool open_arena(const struct order *order);

/* Maps the arena as it was written behind the program `path`. NULL, or what could not be done, with the reason in errno. */
const char *map_arena(const char *path);
/* What that says of a program that has no arena behind it. */
extern const char no_arena[];

/* Appends the arena to the open program. */
bool write_arena(int program);

/* Calls `visit` for each block of the last region, in their sequence, with its size in memory. */
void each_block(void (*visit)(const struct block *block, size_t size, void *data), void *data);

extern const JSMallocFunctions arena_functions;

#endif
