#define _GNU_SOURCE
#include "arena.h"

#include <errno.h>
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
const char no_arena[] = "find this program's end";

/* New memory is asked for so much at once: each page by itself costs a fault. */
#define FRESH (16 * PAGE)

/* The end of a program that carries an arena: `written` bytes of its `size` are what a start writes to. */
struct footer {
  char magic[sizeof magic];
  uint64_t offset, size, written;
};

static const struct order *order;

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

static size_t whole_pages(size_t size) { return (size + PAGE - 1) & -PAGE; }

static bool has_room(int region, size_t need) {
  size_t end = region == REST ? ARENA_SIZE : arena->start[region + 1];
  return arena->used[region] <= end && need <= end - arena->used[region];
}

/* Before Linux 5.14 the pages come one by one. */
static void populate(size_t from, size_t to) { madvise((void *)(ARENA_BASE + from), to - from, MADV_POPULATE_WRITE); }

/* Whole arenas are seldom in use: no more is populated than the next blocks need. */
static void grow(void) {
  if (arena->populated == 0 || arena->used[REST] <= arena->populated) return;
  size_t to = arena->populated + FRESH;
  if (arena->used[REST] < to) populate(arena->populated, to);
  arena->populated = arena->used[REST] < to ? to : whole_pages(arena->used[REST]);
}

static void *cut(int region, size_t class) {
  size_t need = sizeof(struct block) + size_of(class);
  if (!has_room(region, need)) return NULL;
  struct block *block = (struct block *)(ARENA_BASE + arena->used[region]);
  arena->used[region] += need;
  grow();
  block->class = (uint32_t)class;
  return block + 1;
}

static struct block *block_of(const void *memory) { return (struct block *)memory - 1; }

static size_t usable(const void *memory) { return memory == NULL ? 0 : size_of(block_of(memory)->class); }

static void *take(int region, size_t class) {
  void **freed = arena->freed[region][class];
  if (freed == NULL) return cut(region, class);
  arena->freed[region][class] = *freed;
  return freed;
}

static void *allocate(JSMallocState *state, size_t size) {
  (void)state;
  if (size > ARENA_SIZE) return NULL;
  uint64_t ordinal = arena->allocations++;
  int wanted = order != NULL && ordinal < order->count ? order->regions[ordinal] : REST;
  void *memory = take(wanted, class_of(size));
  if (memory == NULL && wanted != REST) memory = take(REST, class_of(size));
  if (memory != NULL) block_of(memory)->ordinal = (uint32_t)ordinal;
  return memory;
}

static int region_of(const void *memory) {
  size_t offset = (size_t)memory - ARENA_BASE;
  return offset >= arena->start[REST] ? REST : offset >= arena->start[READ] ? READ : WRITTEN;
}

static void release(JSMallocState *state, void *memory) {
  (void)state;
  if (memory == NULL) return;
  void **freed = &arena->freed[region_of(memory)][block_of(memory)->class];
  *(void **)memory = *freed;
  *freed = memory;
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

bool open_arena(const struct order *given) {
  if (!reserve()) return false;
  order = given;
  size_t first = (sizeof *arena + STEP - 1) / STEP * STEP;
  arena->start[WRITTEN] = first;
  arena->start[READ] = given == NULL ? first : whole_pages(first + given->written);
  arena->start[REST] = given == NULL ? first : whole_pages(arena->start[READ] + given->read);
  memcpy(arena->used, arena->start, sizeof arena->used);
  return true;
}

void each_block(void (*visit)(const struct block *block, size_t size, void *data), void *data) {
  size_t offset = arena->start[REST];
  while (offset < arena->used[REST]) {
    const struct block *block = (struct block *)(ARENA_BASE + offset);
    size_t size = sizeof *block + size_of(block->class);
    visit(block, size, data);
    offset += size;
  }
}

static const char *map_footer(int fd, const struct footer *footer) {
  if (!reserve()) return "reserve 1 GiB of addresses from 16 TiB on for the engine's memory";
  return map(footer->size, MAP_FIXED, fd, (off_t)footer->offset) ? NULL : "map this program's end";
}

const char *map_arena(const char *path) {
  struct footer footer = {0};
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "open /proc/self/exe";
  off_t end = lseek(fd, 0, SEEK_END);
  bool found = end > (off_t)sizeof footer && pread(fd, &footer, sizeof footer, end - (off_t)sizeof footer) == sizeof footer &&
               memcmp(footer.magic, magic, sizeof magic) == 0;
  const char *failed = found ? map_footer(fd, &footer) : no_arena;
  int why = errno;
  close(fd);
  errno = why;
  if (failed != NULL) return failed;
  populate(0, footer.written);
  arena->populated = footer.size;
  return NULL;
}

static bool put(int fd, const void *bytes, size_t size) { return write(fd, bytes, size) == (ssize_t)size; }

bool write_arena(int program) {
  struct footer footer = {.size = whole_pages(arena->used[REST]), .written = arena->start[READ]};
  off_t end = lseek(program, 0, SEEK_END);
  memcpy(footer.magic, magic, sizeof magic);
  /* New memory is taken from new pages: a page of the file that is written to is copied first. */
  memset(arena->freed, 0, sizeof arena->freed);
  arena->used[REST] = footer.size;
  footer.offset = whole_pages((size_t)end);
  return end > 0 && ftruncate(program, (off_t)footer.offset) == 0 && lseek(program, 0, SEEK_END) > 0 &&
         put(program, (const void *)ARENA_BASE, footer.size) && put(program, &footer, sizeof footer);
}
