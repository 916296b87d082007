#define _GNU_SOURCE
#include "trace.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arena.h"

/* Bytes of the arena for each byte of the file, whose bits say what was done with them. */
#define GRAIN 8UL
#define TRACE_SIZE ((64UL << 20) / GRAIN)
/* A start touches a table of this size in some places alone: these pages come when they are wanted. */
#define LARGE 8192UL
enum { WAS_READ = 1, WAS_WRITTEN = 2 };

/* Of this start; NULL where it is not to be traced. */
static uint8_t *trace;

static uint8_t *map_trace(const char *path) {
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, TRACE_SIZE) != 0) return NULL;
  void *mapped = mmap(NULL, TRACE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  return mapped == MAP_FAILED ? NULL : mapped;
}

static void mark(const void *address, size_t size, uint8_t what) {
  size_t from = (uintptr_t)address - ARENA_BASE;
  if (trace == NULL || (uintptr_t)address < ARENA_BASE || from + size > TRACE_SIZE * GRAIN || size == 0) return;
  for (size_t i = from / GRAIN; i <= (from + size - 1) / GRAIN; i++) trace[i] |= what;
}

/* What the compiler calls. */
void __tsan_init(void) {
  const char *path = getenv("GALLEY_TRACE");
  if (path == NULL || trace != NULL) return;
  trace = map_trace(path);
  if (trace == NULL) perror(path);
}
void __tsan_func_entry(void *caller) { (void)caller; }
void __tsan_func_exit(void) {}
void __tsan_read_range(void *address, unsigned long size) { mark(address, size, WAS_READ); }
void __tsan_write_range(void *address, unsigned long size) { mark(address, size, WAS_WRITTEN); }
#define ACCESS(SIZE) \
  void __tsan_read##SIZE(void *address) { mark(address, SIZE, WAS_READ); } \
  void __tsan_write##SIZE(void *address) { mark(address, SIZE, WAS_WRITTEN); } \
  void __tsan_unaligned_read##SIZE(void *address) { mark(address, SIZE, WAS_READ); } \
  void __tsan_unaligned_write##SIZE(void *address) { mark(address, SIZE, WAS_WRITTEN); }
ACCESS(1) ACCESS(2) ACCESS(4) ACCESS(8) ACCESS(16)

struct making {
  const uint8_t *traced;
  struct order *order;
};

static uint8_t done_with(const uint8_t *traced, const struct block *block, size_t size) {
  uint8_t what = 0;
  size_t from = (uintptr_t)block - ARENA_BASE;
  for (size_t i = from / GRAIN; i < (from + size) / GRAIN; i++) what |= traced[i];
  return what;
}

static void place(const struct block *block, size_t size, void *data) {
  const struct making *making = data;
  struct order *order = making->order;
  uint8_t what = done_with(making->traced, block, size);
  if (block->ordinal >= order->count) return;
  uint8_t region = what & WAS_WRITTEN && size <= LARGE ? WRITTEN : what != 0 ? READ : REST;
  order->regions[block->ordinal] = region;
  if (region == WRITTEN) order->written += size;
  if (region == READ) order->read += size;
}

int write_order(const char *path, const char *output) {
  size_t size = sizeof(struct order) + arena->allocations;
  struct making making = {map_trace(path), calloc(1, size)};
  FILE *file = fopen(output, "wb");
  if (making.traced == NULL || making.order == NULL || file == NULL) return perror(output), 1;
  making.order->count = arena->allocations;
  for (size_t i = 0; i < making.order->count; i++) making.order->regions[i] = REST;
  each_block(place, &making);
  return fwrite(making.order, size, 1, file) == 1 && fclose(file) == 0 ? 0 : (perror(output), 1);
}
