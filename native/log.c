#include "log.h"

#include "json.h"

#define PIECE_LIMIT 16384
#define BUFFER_SIZE (128 * 1024)
/* The fixed text around a piece, its time and stream, and what json_escape needs. */
#define FRAME_ROOM 128

/* A stream's unfinished line. */
struct line {
  u8 bytes[PIECE_LIMIT];
  u32 size;
  bool continued; /* its beginning is in the log already, under `time` */
  char time[JSON_TIME_SIZE];
};

struct log {
  const char *path;
  u64 limit;
  u32 files;
  int fd;
  u64 file_size;
  u64 lost;
  u32 pending; /* bytes in the buffer */
  char now[JSON_TIME_SIZE];
};

static struct log log = {.fd = -1};
static struct line lines[2] __attribute__((aligned(4096)));
static u8 buffer[BUFFER_SIZE] __attribute__((aligned(4096)));

static void open_file(long more_flags) {
  long fd = sys(openat, AT_FDCWD, log.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | more_flags, 0640);
  log.fd = fd < 0 ? -1 : (int)fd;
  long size = fd < 0 ? 0 : sys(lseek, fd, 0, 2 /* SEEK_END */);
  log.file_size = size > 0 ? (u64)size : 0;
}

void open_log(const char *path, u64 limit, u32 files) {
  log.path = path;
  log.limit = limit;
  log.files = files;
  open_file(0);
}

int log_descriptor(void) {
  return log.fd;
}

u64 lost_log_lines(void) {
  return log.lost;
}

static const char *numbered_path(char path[PATH_SIZE], u32 number) {
  struct text text = {path, 0, PATH_SIZE, false};
  put_text(&text, log.path);
  if (number > 0) {
    put_text(&text, ".");
    put_number(&text, number);
  }
  return finish_text(&text);
}

static bool rename_numbered(u32 from) {
  char old[PATH_SIZE], new[PATH_SIZE];
  return sys(renameat2, AT_FDCWD, numbered_path(old, from), AT_FDCWD, numbered_path(new, from + 1), 0) >= 0;
}

static bool exists(u32 number) {
  char path[PATH_SIZE];
  return sys(faccessat, AT_FDCWD, numbered_path(path, number), 0) >= 0;
}

/* log.1 is the newest of the old ones; the oldest beyond the number is replaced. */
static void rotate(void) {
  u32 last = 0;
  close_fd(log.fd);
  while (last + 2 < log.files && exists(last + 1)) last++;
  for (u32 number = last + 1; log.files > 1 && number-- > 0;) rename_numbered(number);
  open_file(log.files > 1 ? 0 : O_TRUNC);
}

static u64 count_lines(const u8 *bytes, size_t size) {
  u64 count = 0;
  for (size_t at = 0; at < size; at++) count += bytes[at] == '\n';
  return count;
}

/* What a full disk has cut is taken back to the last whole line, so that the file stays readable. */
static void lose(size_t written) {
  size_t whole = written;
  while (whole > 0 && buffer[whole - 1] != '\n') whole--;
  if (whole < written) sys(ftruncate, log.fd, log.file_size + whole);
  log.file_size += whole;
  log.lost += count_lines(buffer + whole, log.pending - whole);
}

static void flush(void) {
  size_t done = 0;
  if (log.fd < 0 && log.pending > 0) open_file(0);
  while (done < log.pending && log.fd >= 0) {
    long put = sys(write, log.fd, buffer + done, log.pending - done);
    if (put == -EINTR) continue;
    if (put <= 0) break;
    done += (size_t)put;
  }
  if (done == log.pending) log.file_size += done;
  else lose(done);
  log.pending = 0;
}

#define PUT(to, words) copy_run(to, (const u8 *)(words), sizeof(words) - 1)

static u8 *put_frame(u8 *to, u8 stream, const char *time) {
  to = stream == 2 ? PUT(to, "\",\"stream\":\"stderr\",\"time\":\"") : PUT(to, "\",\"stream\":\"stdout\",\"time\":\"");
  to = copy_run(to, (const u8 *)time, strlen(time));
  return PUT(to, "\"}\n");
}

/* One entry. The size is looked at before it is written, so a file exceeds the limit by less than one entry. */
static void write_entry(u8 stream, const u8 *bytes, size_t size, bool ends, const char *time) {
  if (log.limit > 0 && log.file_size + log.pending >= log.limit) {
    flush();
    if (log.file_size >= log.limit) rotate();
  }
  if (BUFFER_SIZE - log.pending < JSON_GROWTH * size + FRAME_ROOM) flush();
  u8 *to = PUT(buffer + log.pending, "{\"log\":\"");
  to = json_escape(to, bytes, size);
  if (ends) to = PUT(to, "\\n");
  to = put_frame(to, stream, time);
  log.pending = (u32)(to - buffer);
}

/* The pieces of a long line all bear the time of the first. */
static void write_piece(struct line *line, u8 stream, const u8 *bytes, size_t size, bool ends) {
  if (!line->continued) memcpy(line->time, log.now, JSON_TIME_SIZE);
  write_entry(stream, bytes, size, ends, line->time);
  line->continued = !ends;
}

/* A line that has grown to the limit without an end is written as it is, but no character of it is cut. */
static void write_full_line(struct line *line, u8 stream) {
  u32 whole = (u32)whole_characters(line->bytes, line->size);
  write_piece(line, stream, line->bytes, whole, false);
  line->size -= whole;
  memcpy(line->bytes, line->bytes + whole, line->size);
}

static void add_to_line(struct line *line, u8 stream, const u8 *bytes, size_t size) {
  while (size > 0) {
    size_t part = size < PIECE_LIMIT - line->size ? size : PIECE_LIMIT - line->size;
    memcpy(line->bytes + line->size, bytes, part);
    line->size += (u32)part;
    bytes += part;
    size -= part;
    if (line->size == PIECE_LIMIT) write_full_line(line, stream);
  }
}

static void end_line(struct line *line, u8 stream, const u8 *bytes, size_t size) {
  if (line->size == 0 && size < PIECE_LIMIT) {
    write_piece(line, stream, bytes, size, true);
    return;
  }
  add_to_line(line, stream, bytes, size);
  write_piece(line, stream, line->bytes, line->size, true);
  line->size = 0;
}

void log_output(u8 stream, const u8 *bytes, size_t size) {
  struct line *line = &lines[stream - 1];
  json_time(log.now, realtime_ns());
  while (size > 0) {
    size_t length = find_byte(bytes, size, '\n');
    if (length == size) {
      add_to_line(line, stream, bytes, size);
      break;
    }
    end_line(line, stream, bytes, length);
    bytes += length + 1;
    size -= length + 1;
  }
  if (log.pending > 0) flush();
}

void end_log_lines(void) {
  if (log.path == NULL) return;
  json_time(log.now, realtime_ns());
  for (u8 stream = 1; stream <= 2; stream++) {
    struct line *line = &lines[stream - 1];
    if (line->size > 0) write_piece(line, stream, line->bytes, line->size, false);
    line->size = 0;
    line->continued = false;
  }
  if (log.pending > 0) flush();
}

void release_log_memory(void) {
  sys(madvise, buffer, sizeof buffer, MADV_DONTNEED);
  if (lines[0].size + lines[1].size == 0 && !lines[0].continued && !lines[1].continued) {
    sys(madvise, lines, sizeof lines & ~4095UL, MADV_DONTNEED);
  }
}
