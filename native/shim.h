/* The shim: what stays beside a running container. One thread, one loop, no memory but this. */
#ifndef SHIM_H
#define SHIM_H

#include "log.h"
#include "start.h"

#define CLIENT_LIMIT 256
#define PAYLOAD_LIMIT 65536
#define FRAME_HEAD 8
#define QUEUE_SIZE 1024

enum state { STATE_RUNNING, STATE_PAUSED, STATE_RESTARTING, STATE_EXITED };

struct frame_head {
  u8 type;
  u8 stream;
  u16 zero;
  u32 size;
};

/* A connection. What goes to it is a queue of small whole frames and its place in the one chunk of output. */
struct client {
  int fd; /* -1: free */
  bool wants_output;
  bool has_stdin; /* has asked for, or used, the container's standard input */
  bool wants_exit;
  bool spoke;   /* has sent a whole request, and no other is to be expected of it */
  bool leaving; /* takes nothing any more; what it has sent is still read */
  u8 head_size;
  u8 small_size;
  struct frame_head head; /* of the frame that is being received */
  u32 left;               /* of its payload */
  u8 small[8];
  u32 taken; /* of the output chunk, its head counted */
  u32 queued;
  u32 sent;
  u8 queue[QUEUE_SIZE];
};

/* Where the container's output arrives: stream 1 is standard output or the terminal, 2 standard error. */
struct stream {
  int fd; /* -1: ended */
  u8 number;
  bool asleep; /* a terminal that nobody has open; looked at again by time */
};

struct shim {
  struct actor *actor;
  const struct shim_settings *settings;
  int listener;
  int signals;
  enum state state;

  int stdin_fd;
  bool stdin_closing; /* once what is pending has been written */
  struct stream streams[2];
  u16 rows, columns; /* the last size that a client gave; 0: none */

  u32 output_size; /* of the chunk that clients are taking, 0: none */
  u64 progress;    /* when a client last took something, or the container last wrote */
  u32 input_size, input_at;
  bool buffers_used;

  bool ended; /* the first process has been reaped */
  int wait_status;
  u64 ended_at; /* monotonic */
  u64 started, finished; /* Unix time in ns */
  u64 run_began; /* monotonic */
  bool oom_killed;
  u32 restarts;
  bool no_restart;
  u64 delay;        /* ns of the last pause before a restart */
  u64 restart_at;   /* monotonic */
  struct failure restart_failure;
  u64 own_start_time;
  bool last_call; /* the end has been told; whoever has just connected is heard */
  bool awaited;   /* and somebody has */
  char boot_id[40];

  bool deaf; /* no descriptor or memory was left for a client: another try comes later, or when a client goes */
  u32 client_count; /* the highest used, plus one; the others wait in the listener's queue */
  struct client clients[CLIENT_LIMIT];
};

/* Large and seldom used: their pages are given back when there is nothing to do. */
struct buffers {
  u8 output[4096 + PAYLOAD_LIMIT]; /* the chunk begins FRAME_HEAD before the second page */
  u8 input[PAYLOAD_LIMIT];
};
extern struct buffers buffers;
#define OUTPUT_CHUNK (buffers.output + 4096 - FRAME_HEAD)

/* Starts the container, reports, and stays for its life. */
_Noreturn void run_shim(struct actor *self, int report_fd);

/* shim.c */
/* One wait for something to happen, and what follows from it. */
void shim_turn(struct shim *shim);
/* The container runs: says so, and takes over what the start has left. */
long announce_run(struct shim *shim);
void take_over_run(struct shim *shim);

/* streams.c */
void open_streams(struct shim *shim);
void close_streams(struct shim *shim);
void read_stream(struct shim *shim, struct stream *stream);
bool streams_ended(const struct shim *shim);
/* Writes pending input to the container, and closes its standard input where that was asked for. */
void write_input(struct shim *shim);
void close_stdin_later(struct shim *shim);
long resize_terminal(struct shim *shim, u16 rows, u16 columns);

/* clients.c */
bool has_room(const struct shim *shim);
/* For a descriptor that the shim owns from now on; there must be room. */
struct client *add_client(struct shim *shim, int fd);
void drop_client(struct shim *shim, struct client *client);
void widen_clients(struct shim *shim);
/* Nothing can be sent to it any more. */
void let_client_leave(struct shim *shim, struct client *client);
/* Sends what the client can take now. */
void flush_client(struct shim *shim, struct client *client);
bool client_is_owed(const struct shim *shim, const struct client *client);
/* The output chunk is free again once every client has taken it. */
void finish_chunk(struct shim *shim);
void offer_chunk(struct shim *shim, u8 stream, u32 size);
bool queue_frame(struct client *client, u8 type, const void *payload, u32 size);

/* requests.c */
bool client_may_speak(const struct shim *shim, const struct client *client);
void receive_requests(struct shim *shim, struct client *client);

/* control.c: requests to the container; the result is 0 or a negated error number. */
long kill_container(struct shim *shim, u32 signal, u32 flags);
long pause_container(struct shim *shim);
long resume_container(struct shim *shim);
void give_up_restart(struct shim *shim);

/* life.c */
void reap_children(struct shim *shim);
/* All output has been taken, or has been waited for long enough. */
bool is_drained(struct shim *shim, u64 now);
void drop_stuck_clients(struct shim *shim, u64 now);
/* What follows the container's end: a pause and another start, or the end of the shim. */
void conclude_run(struct shim *shim);
void restart_container(struct shim *shim);
_Noreturn void end_shim(struct shim *shim);

/* status.c */
void read_identity(struct shim *shim);
void describe_status(const struct shim *shim, struct text *text);
/* 0, or why the file could not be written; where it existed before, a full disk is no reason. */
long write_status(const struct shim *shim);
void write_timings(struct shim *shim, struct failure failure);

#endif
