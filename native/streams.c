/* The container's standard streams, as the shim holds them. */
#include "shim.h"

#include <asm/termios.h>

struct buffers buffers __attribute__((aligned(4096)));

static bool has_terminal(const struct shim *shim) {
  return shim->settings->flags & SHIM_TTY;
}

/* The description belongs to this end alone, so the container does not notice. */
static int take_slot(struct shim *shim, u32 slot) {
  int fd = slot < SLOT_LIMIT ? shim->actor->slots[slot] : -1;
  if (fd >= 0) sys(fcntl, fd, F_SETFL, O_NONBLOCK);
  return fd;
}

/* From here on the streams own these descriptors; slots that no later section names are closed by the caller. */
void open_streams(struct shim *shim) {
  const struct shim_settings *settings = shim->settings;
  shim->stdin_fd = take_slot(shim, settings->stdin_slot);
  shim->stdin_closing = false;
  shim->streams[0] = (struct stream){has_terminal(shim) ? shim->stdin_fd : take_slot(shim, settings->stdout_slot), 1, false};
  shim->streams[1] = (struct stream){has_terminal(shim) ? -1 : take_slot(shim, settings->stderr_slot), 2, false};
  if (shim->rows > 0) resize_terminal(shim, shim->rows, shim->columns);
  if (!has_terminal(shim) && !(settings->flags & SHIM_OPEN_STDIN)) close_stdin_later(shim);
}

static void forget_slot(struct shim *shim, int fd) {
  for (u32 i = 0; i < SLOT_LIMIT; i++) {
    if (shim->actor->slots[i] == fd) shim->actor->slots[i] = -1;
  }
}

static void close_stream(struct shim *shim, struct stream *stream) {
  if (stream->fd < 0) return;
  forget_slot(shim, stream->fd);
  close_fd(stream->fd);
  if (stream->fd == shim->stdin_fd) shim->stdin_fd = -1;
  stream->fd = -1;
}

static void close_stdin(struct shim *shim) {
  if (shim->stdin_fd >= 0 && !has_terminal(shim)) {
    forget_slot(shim, shim->stdin_fd);
    close_fd(shim->stdin_fd);
    shim->stdin_fd = -1;
  }
}

void close_streams(struct shim *shim) {
  close_stream(shim, &shim->streams[0]);
  close_stream(shim, &shim->streams[1]);
  close_stdin(shim);
  shim->input_size = 0;
}

bool streams_ended(const struct shim *shim) {
  return shim->streams[0].fd < 0 && shim->streams[1].fd < 0;
}

void close_stdin_later(struct shim *shim) {
  if (shim->input_size > 0) shim->stdin_closing = true;
  else close_stdin(shim);
}

/* Input for a container that takes none is dropped, as it is when its reader is gone. */
void write_input(struct shim *shim) {
  bool open = shim->stdin_fd >= 0 && (shim->settings->flags & SHIM_OPEN_STDIN);
  while (open && shim->input_at < shim->input_size) {
    long put = sys(write, shim->stdin_fd, buffers.input + shim->input_at, shim->input_size - shim->input_at);
    if (put == -EINTR) continue;
    if (put == -EAGAIN || put == 0) return;
    if (put < 0) {
      close_stdin(shim);
      break;
    }
    shim->input_at += (u32)put;
  }
  shim->input_size = 0;
  if (shim->stdin_closing) close_stdin(shim);
  shim->stdin_closing = false;
}

/* EIO: no process has the terminal open. While the first process lives somebody may open it again. */
static void end_stream(struct shim *shim, struct stream *stream, long error) {
  if (error == -EIO && has_terminal(shim) && !shim->ended) stream->asleep = true;
  else close_stream(shim, stream);
}

/* One chunk; a second read is worth its call only where the first has filled the buffer. */
void read_stream(struct shim *shim, struct stream *stream) {
  for (u32 chunks = 0; chunks < 16 && stream->fd >= 0 && shim->output_size == 0; chunks++) {
    u8 *bytes = OUTPUT_CHUNK + FRAME_HEAD;
    long size = sys(read, stream->fd, bytes, PAYLOAD_LIMIT);
    stream->asleep = false;
    if (size == -EAGAIN || size == -EINTR) return;
    if (size <= 0) {
      end_stream(shim, stream, size);
      return;
    }
    shim->buffers_used = true;
    shim->progress = monotonic_ns();
    if (shim->settings->flags & SHIM_LOG) log_output(stream->number, bytes, (size_t)size);
    offer_chunk(shim, stream->number, (u32)size);
    if (size < PAYLOAD_LIMIT) return;
  }
}

long resize_terminal(struct shim *shim, u16 rows, u16 columns) {
  struct winsize size = {.ws_row = rows, .ws_col = columns};
  if (!has_terminal(shim)) return -ENOTTY;
  shim->rows = rows;
  shim->columns = columns;
  return shim->stdin_fd < 0 ? 0 : sys(ioctl, shim->stdin_fd, TIOCSWINSZ, &size);
}
