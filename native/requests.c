/* What clients ask for: docs/recipes.md, "The shim's socket". */
#include "shim.h"

#define ATTACH_STDIN 1
#define ATTACH_OUTPUT 2
/* A status is the largest answer; a client that does not read its answers is not listened to. */
#define ANSWER_ROOM 600

/* The exact size of each request's payload; -1: no such request. */
static long payload_size(u8 type, u32 announced) {
  switch (type) {
    case 'I':
      return announced <= PAYLOAD_LIMIT ? (long)announced : -1;
    case 'A':
    case 'W':
      return 4;
    case 'K':
      return 8;
    case 'C':
    case 'P':
    case 'U':
    case 'N':
    case 'S':
    case 'X':
      return 0;
    default:
      return -1;
  }
}

/* Input of one client at a time is pending; nobody is read from who would have to add to it. */
bool client_may_speak(const struct shim *shim, const struct client *client) {
  if (QUEUE_SIZE - client->queued < ANSWER_ROOM) return false;
  return shim->input_size == 0 || (client->head.type != 'I' && !client->has_stdin);
}

static void answer(struct client *client, long result) {
  i32 error = (i32)-result;
  if (!client->leaving) queue_frame(client, 'R', &error, sizeof error);
}

static u32 word(const struct client *client, u32 at) {
  u32 value;
  memcpy(&value, client->small + at, sizeof value);
  return value;
}

static void attach(struct shim *shim, struct client *client) {
  u32 flags = word(client, 0);
  client->has_stdin = (flags & ATTACH_STDIN) && (shim->settings->flags & SHIM_OPEN_STDIN);
  answer(client, 0);
  if (!client->wants_output) client->taken = shim->output_size;
  client->wants_output = (flags & ATTACH_OUTPUT) && !client->leaving;
}

static void send_status(struct shim *shim, struct client *client) {
  char status[ANSWER_ROOM];
  struct text text = {status, 0, sizeof status - FRAME_HEAD, false};
  describe_status(shim, &text);
  if (!client->leaving) queue_frame(client, 'S', status, (u32)text.size);
}

static void resize(struct shim *shim, struct client *client) {
  u16 size[2];
  memcpy(size, client->small, sizeof size);
  answer(client, resize_terminal(shim, size[0], size[1]));
}

static void handle(struct shim *shim, struct client *client) {
  client->spoke = true;
  switch (client->head.type) {
    case 'A':
      return attach(shim, client);
    case 'C':
      if (!(shim->settings->flags & SHIM_TTY)) close_stdin_later(shim);
      return;
    case 'W':
      return resize(shim, client);
    case 'K':
      client->spoke = false; /* whoever kills may ask for the end next, and the end may be here first */
      return answer(client, kill_container(shim, word(client, 0), word(client, 4)));
    case 'P':
      return answer(client, pause_container(shim));
    case 'U':
      return answer(client, resume_container(shim));
    case 'N':
      give_up_restart(shim);
      return answer(client, 0);
    case 'S':
      return send_status(shim, client);
    case 'X':
      client->wants_exit = !client->leaving;
      return;
    default:
      return; /* input has been passed on as it came */
  }
}

/* Bytes received, 0 where there are none now; the client is dropped where it is gone. */
static size_t receive(struct shim *shim, struct client *client, void *to, size_t size) {
  long got;
  do got = sys(recvfrom, client->fd, to, size, MSG_DONTWAIT_, 0, 0);
  while (got == -EINTR);
  if (got > 0) return (size_t)got;
  if (got != -EAGAIN) drop_client(shim, client);
  return 0;
}

static bool receive_head(struct shim *shim, struct client *client) {
  client->head_size += (u8)receive(shim, client, (u8 *)&client->head + client->head_size, FRAME_HEAD - client->head_size);
  if (client->fd < 0 || client->head_size < FRAME_HEAD) return false;
  long size = payload_size(client->head.type, client->head.size);
  if (size != (long)client->head.size) {
    drop_client(shim, client);
    return false;
  }
  client->left = client->head.size;
  client->small_size = 0;
  return true;
}

static bool receive_input(struct shim *shim, struct client *client) {
  if (shim->input_size > 0) return false;
  size_t size = receive(shim, client, buffers.input, client->left);
  if (size == 0) return false;
  client->left -= (u32)size;
  client->has_stdin |= (shim->settings->flags & SHIM_OPEN_STDIN) != 0;
  shim->input_size = (u32)size;
  shim->input_at = 0;
  shim->buffers_used = true;
  write_input(shim);
  return true;
}

static bool receive_payload(struct shim *shim, struct client *client) {
  while (client->left > 0) {
    if (client->head.type == 'I') {
      if (!receive_input(shim, client)) return false;
      continue;
    }
    size_t size = receive(shim, client, client->small + client->small_size, client->left);
    if (size == 0) return false;
    client->small_size += (u8)size;
    client->left -= (u32)size;
  }
  return true;
}

void receive_requests(struct shim *shim, struct client *client) {
  while (client->fd >= 0 && client_may_speak(shim, client)) {
    if (client->head_size < FRAME_HEAD && !receive_head(shim, client)) return;
    if (!receive_payload(shim, client)) return;
    handle(shim, client);
    client->head_size = 0;
    client->head.type = 0;
    flush_client(shim, client);
  }
}
