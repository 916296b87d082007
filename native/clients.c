/* Connections: small frames are queued for each, output is one chunk that all of them take at their own pace. */
#include "shim.h"

#define LAST_ROOM (4 << 20)

static void forget(struct client *client) {
  client->fd = -1;
  client->wants_output = client->has_stdin = client->wants_exit = client->spoke = client->leaving = false;
  client->head_size = client->small_size = 0;
  client->left = client->taken = client->queued = client->sent = 0;
}

/* The lowest free place, so that few pages are ever touched. */
static u32 free_place(const struct shim *shim) {
  u32 place = 0;
  while (place < shim->client_count && shim->clients[place].fd >= 0) place++;
  return place;
}

bool has_room(const struct shim *shim) {
  return free_place(shim) < CLIENT_LIMIT;
}

struct client *add_client(struct shim *shim, int fd) {
  u32 place = free_place(shim);
  struct client *client = &shim->clients[place];
  if (place == shim->client_count) shim->client_count++;
  forget(client);
  client->fd = fd;
  client->taken = shim->output_size; /* no part of a chunk that others are taking */
  return client;
}

/* What remains after the container's end fits into the socket at once: whoever reads it late holds up neither the log nor the
   clean-up, and finds all of it there when the shim is gone. An unprivileged shim gets what the host allows. */
void widen_clients(struct shim *shim) {
  const int size = LAST_ROOM;
  for (u32 i = 0; i < shim->client_count; i++) {
    int fd = shim->clients[i].fd;
    if (fd < 0) continue;
    if (sys(setsockopt, fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0) {
      sys(setsockopt, fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    }
  }
}

void drop_client(struct shim *shim, struct client *client) {
  bool had_stdin = client->has_stdin;
  close_fd(client->fd);
  forget(client);
  shim->deaf = false;
  while (shim->client_count > 0 && shim->clients[shim->client_count - 1].fd < 0) shim->client_count--;
  if (had_stdin && (shim->settings->flags & SHIM_STDIN_ONCE)) close_stdin_later(shim);
  finish_chunk(shim);
}

/* Input that it has sent before may still have to reach the container. */
void let_client_leave(struct shim *shim, struct client *client) {
  client->leaving = true;
  client->wants_output = client->wants_exit = false;
  client->queued = client->sent = 0;
  finish_chunk(shim);
}

static bool owes_chunk(const struct shim *shim, const struct client *client) {
  return client->wants_output && client->taken < shim->output_size;
}

bool client_is_owed(const struct shim *shim, const struct client *client) {
  return client->sent < client->queued || owes_chunk(shim, client);
}

static long send_some(const struct client *client, const u8 *bytes, size_t size) {
  long put;
  do put = sys(sendto, client->fd, bytes, size, MSG_DONTWAIT_ | MSG_NOSIGNAL_, 0, 0);
  while (put == -EINTR);
  return put;
}

/* 1: go on, 0: the client takes no more now, or it is gone. Whole frames alternate, so a begun chunk comes first. */
static bool flush_step(struct shim *shim, struct client *client) {
  bool chunk = owes_chunk(shim, client) && (client->taken > 0 || client->sent == client->queued);
  const u8 *from = chunk ? OUTPUT_CHUNK + client->taken : client->queue + client->sent;
  size_t size = chunk ? shim->output_size - client->taken : client->queued - client->sent;
  long put = send_some(client, from, size);
  if (put == -EAGAIN) return false;
  if (put < 0) {
    let_client_leave(shim, client);
    return false;
  }
  if (chunk) client->taken += (u32)put;
  else client->sent += (u32)put;
  if (client->sent == client->queued) client->sent = client->queued = 0;
  if (chunk) shim->progress = monotonic_ns();
  return true;
}

void flush_client(struct shim *shim, struct client *client) {
  while (client->fd >= 0 && client_is_owed(shim, client)) {
    if (!flush_step(shim, client)) return;
  }
}

void finish_chunk(struct shim *shim) {
  for (u32 i = 0; i < shim->client_count; i++) {
    if (shim->clients[i].fd >= 0 && owes_chunk(shim, &shim->clients[i])) return;
  }
  shim->output_size = 0;
}

void offer_chunk(struct shim *shim, u8 stream, u32 size) {
  struct frame_head head = {'O', stream, 0, size};
  memcpy(OUTPUT_CHUNK, &head, FRAME_HEAD);
  shim->output_size = FRAME_HEAD + size;
  for (u32 i = 0; i < shim->client_count; i++) shim->clients[i].taken = 0;
  for (u32 i = 0; i < shim->client_count; i++) flush_client(shim, &shim->clients[i]);
  finish_chunk(shim);
}

bool queue_frame(struct client *client, u8 type, const void *payload, u32 size) {
  struct frame_head head = {type, 0, 0, size};
  if (QUEUE_SIZE - client->queued < FRAME_HEAD + size) return false;
  memcpy(client->queue + client->queued, &head, FRAME_HEAD);
  memcpy(client->queue + client->queued + FRAME_HEAD, payload, size);
  client->queued += FRAME_HEAD + size;
  return true;
}
