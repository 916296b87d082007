#include "base.h"

#include <linux/time.h>

/* The compiler may turn a loop into a call of the very function that holds it. */
#define NO_LOOP_PATTERNS __attribute__((optimize("no-tree-loop-distribute-patterns")))

#if defined(__x86_64__)
void *memcpy(void *to, const void *from, size_t size) {
  void *start = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
  return start;
}

void *memset(void *to, int value, size_t size) {
  void *start = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
  return start;
}
#else
NO_LOOP_PATTERNS void *memcpy(void *to, const void *from, size_t size) {
  u8 *target = to;
  const u8 *source = from;
  for (; size >= 8; size -= 8, target += 8, source += 8) {
    u64 word;
    __builtin_memcpy(&word, source, 8);
    __builtin_memcpy(target, &word, 8);
  }
  while (size-- > 0) *target++ = *source++;
  return to;
}

NO_LOOP_PATTERNS void *memset(void *to, int value, size_t size) {
  u8 *target = to;
  while (size-- > 0) *target++ = (u8)value;
  return to;
}
#endif

NO_LOOP_PATTERNS void *memmove(void *to, const void *from, size_t size) {
  u8 *target = to;
  const u8 *source = from;
  if (target <= source || target >= source + size) return memcpy(to, from, size);
  while (size-- > 0) target[size] = source[size];
  return to;
}

int memcmp(const void *a, const void *b, size_t size) {
  const u8 *left = a, *right = b;
  for (size_t i = 0; i < size; i++) {
    if (left[i] != right[i]) return left[i] - right[i];
  }
  return 0;
}

NO_LOOP_PATTERNS size_t strlen(const char *text) {
  size_t size = 0;
  while (text[size] != 0) size++;
  return size;
}

bool same_text(const char *a, const char *b) {
  size_t size = strlen(a);
  return size == strlen(b) && memcmp(a, b, size) == 0;
}

size_t find_byte(const u8 *bytes, size_t size, u8 byte) {
  const u64 ones = 0x0101010101010101ULL, wanted = ones * byte;
  size_t at = 0;
  for (; at + 8 <= size; at += 8) {
    u64 word;
    __builtin_memcpy(&word, bytes + at, 8);
    word ^= wanted;
    if ((word - ones) & ~word & (ones << 7)) break; /* one of the eight is zero, so it is the byte */
  }
  while (at < size && bytes[at] != byte) at++;
  return at;
}

bool contains(const u8 *bytes, size_t size, const u8 *part, size_t part_size) {
  if (part_size == 0) return true;
  for (size_t at = 0; at + part_size <= size; at++) {
    if (bytes[at] == part[0] && memcmp(bytes + at, part, part_size) == 0) return true;
  }
  return false;
}

void put_bytes(struct text *text, const void *bytes, size_t size) {
  if (size > text->room - text->size) {
    text->full = true;
    return;
  }
  memcpy(text->start + text->size, bytes, size);
  text->size += size;
}

void put_text(struct text *text, const char *words) {
  put_bytes(text, words, strlen(words));
}

void put_number(struct text *text, u64 number) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  put_bytes(text, digits + at, sizeof digits - at);
}

const char *finish_text(struct text *text) {
  if (text->size == text->room) {
    text->full = true;
    text->size--;
  }
  text->start[text->size] = 0;
  return text->start;
}

u64 parse_number(const char *digits) {
  u64 number = 0;
  for (; *digits >= '0' && *digits <= '9'; digits++) number = number * 10 + (u64)(*digits - '0');
  return number;
}

long read_fully(int fd, void *to, size_t size) {
  size_t done = 0;
  while (done < size) {
    long got = sys(read, fd, (u8 *)to + done, size - done);
    if (got == -EINTR) continue;
    if (got < 0) return got;
    if (got == 0) break;
    done += (size_t)got;
  }
  return (long)done;
}

long write_fully(int fd, const void *from, size_t size) {
  size_t done = 0;
  while (done < size) {
    long put = sys(write, fd, (const u8 *)from + done, size - done);
    if (put == -EINTR) continue;
    if (put < 0) return put;
    done += (size_t)put;
  }
  return (long)done;
}

long read_file(int dir, const char *path, char *to, size_t room) {
  long fd = sys(openat, dir, path, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  long size = read_fully((int)fd, to, room - 1);
  close_fd((int)fd);
  if (size >= 0) to[size] = 0;
  return size;
}

long write_file(int dir, const char *path, const void *bytes, size_t size, long flags, u32 mode) {
  long fd = sys(openat, dir, path, flags | O_CLOEXEC | O_NOCTTY, mode);
  if (fd < 0) return fd;
  long put;
  do put = sys(write, fd, bytes, size);
  while (put == -EINTR);
  close_fd((int)fd);
  if (put < 0) return put;
  return (size_t)put == size ? 0 : -EIO;
}

void close_fd(int fd) {
  if (fd >= 0) sys(close, fd);
}

void *map_memory(size_t size) {
  long start = sys(mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return start < 0 && start > -4096 ? NULL : (void *)start;
}

void unmap_memory(void *start, size_t size) {
  if (start != NULL) sys(munmap, start, size);
}

static u64 clock_ns(int clock) {
  struct __kernel_timespec time = {0, 0};
  sys(clock_gettime, clock, &time);
  return (u64)time.tv_sec * 1000000000ULL + (u64)time.tv_nsec;
}

u64 monotonic_ns(void) {
  return clock_ns(CLOCK_MONOTONIC);
}

u64 realtime_ns(void) {
  return clock_ns(CLOCK_REALTIME);
}

void sleep_ms(u32 milliseconds) {
  struct __kernel_timespec time = {milliseconds / 1000, (milliseconds % 1000) * 1000000LL};
  sys(nanosleep, &time, 0);
}

_Noreturn void end_process(int status) {
  for (;;) sys(exit_group, status);
}
