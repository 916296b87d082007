#define _GNU_SOURCE
#include "arena.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define STEP 16UL
/* Up to here blocks come in steps, above in powers of two. */
#define SMALL 1024UL
#define SMALL_CLASSES (SMALL / STEP + 1)

static const char magic[16] = "galley snapshot";

/* The end of a program that carries an arena. */
struct footer {
  char magic[sizeof magic];
  uint64_t offset, size;
};

struct block {
  uint64_t class;
};

static size_t class_of(size_t size) {
  /* A freed block holds the next one's address. */
  if (size == 0) return 1;
  if (size <= SMALL) return (size + STEP - 1) / STEP;
  size_t class = SMALL_CLASSES;
  while (SMALL << (class - SMALL_CLASSES + 1) < size) class++;
  return class;
}

static size_t size_of(size_t class) {
  return class < SMALL_CLASSES ? class * STEP : SMALL << (class - SMALL_CLASSES + 1);
}

static void *cut(size_t class) {
  size_t need = sizeof(struct block) + size_of(class);
  if (need > ARENA_SIZE - arena->used) return NULL;
  struct block *block = (struct block *)(ARENA_BASE + arena->used);
  arena->used += need;
  block->class = class;
  return block + 1;
}

static size_t usable(const void *memory) { return memory == NULL ? 0 : size_of(((const struct block *)memory - 1)->class); }

static void *allocate(JSMallocState *state, size_t size) {
  (void)state;
  if (size > ARENA_SIZE) return NULL;
  size_t class = class_of(size);
  void **freed = arena->freed[class];
  if (freed == NULL) return cut(class);
  arena->freed[class] = *freed;
  return freed;
}

static void release(JSMallocState *state, void *memory) {
  (void)state;
  if (memory == NULL) return;
  size_t class = ((struct block *)memory - 1)->class;
  *(void **)memory = arena->freed[class];
  arena->freed[class] = memory;
}

static void *resize(JSMallocState *state, void *memory, size_t size) {
  if (memory == NULL) return allocate(state, size);
  if (size == 0) return release(state, memory), NULL;
  size_t before = usable(memory);
  if (size <= before && class_of(size) + 4 > class_of(before)) return memory;
  void *larger = allocate(state, size);
  if (larger == NULL) return NULL;
  memcpy(larger, memory, before < size ? before : size);
  release(state, memory);
  return larger;
}

const JSMallocFunctions arena_functions = {allocate, release, resize, usable};

static bool map(size_t size, int flags, int fd, off_t offset) {
  void *wanted = (void *)ARENA_BASE;
  return mmap(wanted, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | flags, fd, offset) == wanted;
}

static bool reserve(void) { return map(ARENA_SIZE, MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0); }

bool open_arena(void) {
  if (!reserve()) return false;
  arena->used = (sizeof *arena + STEP - 1) / STEP * STEP;
  return true;
}

bool map_arena(const char *path) {
  struct footer footer = {0};
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  off_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
  bool found = end > (off_t)sizeof footer && pread(fd, &footer, sizeof footer, end - (off_t)sizeof footer) == sizeof footer &&
               memcmp(footer.magic, magic, sizeof magic) == 0;
  found = found && reserve() && map(footer.size, MAP_FIXED, fd, (off_t)footer.offset);
  if (fd >= 0) close(fd);
  return found;
}

static bool put(int fd, const void *bytes, size_t size) { return write(fd, bytes, size) == (ssize_t)size; }

bool write_arena(int program) {
  struct footer footer = {.size = (arena->used + PAGE - 1) & -PAGE};
  off_t end = lseek(program, 0, SEEK_END);
  memcpy(footer.magic, magic, sizeof magic);
  /* New memory is taken from new pages: a page of the file that is written to is copied first. */
  memset(arena->freed, 0, sizeof arena->freed);
  footer.offset = ((uint64_t)end + PAGE - 1) & -PAGE;
  return end > 0 && ftruncate(program, (off_t)footer.offset) == 0 && lseek(program, 0, SEEK_END) > 0 &&
         put(program, (const void *)ARENA_BASE, footer.size) && put(program, &footer, sizeof footer);
}
