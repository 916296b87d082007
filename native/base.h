/* What a C library would give: memory, text, numbers, whole reads and writes, clocks. */
#ifndef BASE_H
#define BASE_H

#include "system.h"

#define PATH_SIZE 4096

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);

bool same_text(const char *a, const char *b);
bool contains(const u8 *bytes, size_t size, const u8 *part, size_t part_size);
/* The byte's position, or `size` where it is not there. */
size_t find_byte(const u8 *bytes, size_t size, u8 byte);

/* Text that grows in a buffer of the caller; what does not fit is left out, and `full` says so. */
struct text {
  char *start;
  size_t size;
  size_t room;
  bool full;
};
void put_bytes(struct text *text, const void *bytes, size_t size);
void put_text(struct text *text, const char *words);
void put_number(struct text *text, u64 number);
/* Ends the text with a NUL byte, which is not counted. */
const char *finish_text(struct text *text);

/* Reads a decimal number from the start of the text. */
u64 parse_number(const char *digits);

/* Both go on after EINTR and short transfers. */
long read_fully(int fd, void *to, size_t size);
long write_fully(int fd, const void *from, size_t size);
/* Reads a small file and ends it with a NUL byte; the size, or an error. */
long read_file(int dir, const char *path, char *to, size_t room);
/* One write of all bytes to an existing or new file; a short write is EIO. */
long write_file(int dir, const char *path, const void *bytes, size_t size, long flags, u32 mode);

void close_fd(int fd);
/* A private, zeroed mapping; NULL where there is no memory. */
void *map_memory(size_t size);
void unmap_memory(void *start, size_t size);

u64 monotonic_ns(void);
u64 realtime_ns(void);
void sleep_ms(u32 milliseconds);

_Noreturn void end_process(int status);

#endif
