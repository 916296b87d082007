/* An actor runs steps: `outside` in this process, `inside` in the one that the clone step makes. */
#ifndef ACTOR_H
#define ACTOR_H

#include "recipe.h"

#define ARRIVAL_LIMIT 32
#define LISTENER_TAKEN (-1)

struct timing {
  u64 start;
  u64 end;
};

/* What a failed hook left to say. */
struct hook_note {
  u32 status; /* as wait4 gives it */
  u32 out_size;
  u32 err_size;
  char out[1024]; /* the beginning of its standard output, and of its standard error */
  char err[2048];
};
_Static_assert(sizeof(struct hook_note) == 3084, "the note is part of the encoding");

/* One page or more that both actors share from the clone on. */
struct shared {
  u64 failure; /* errno << 48 | section << 32 | step of the first failure; 0: none */
  u64 began;
  u32 current[2]; /* the step that each actor is at */
  i32 listener;   /* of the inside's filter: its descriptor there, 0: none yet, LISTENER_TAKEN: the outside has a copy */
  u32 has_note;
  struct hook_note note; /* of the step that failed */
  struct timing timings[]; /* of outside, then of inside */
};

struct actor {
  struct recipe recipe;
  struct shared *shared;
  int slots[SLOT_LIMIT];
  int peer;   /* the socket to the other actor, -1 before the clone */
  int pidfd;  /* of the inside, held by the outside */
  i32 pid;    /* of the inside, as the outside sees it */
  i32 heir;       /* the inside after its rebirth, until it is adopted; 0: none is known */
  int heir_pidfd;
  bool awaits_heir;
  u64 start_time; /* of the inside: field 22 of its stat */
  int gate;   /* the fifo at which the inside has waited, and to which it tells what failed since; -1: none */
  int passed; /* a descriptor that the caller has handed over, -1: none */
  const char *mask_label; /* the SELinux context of the following, NULL: none is said */
  int empty_mount; /* what directories are hidden with, -1 until it is needed */
  bool inside;
  bool cwd_refused; /* try_chdir was not allowed: retry_chdir has something to do */
  bool keeps_parentless; /* the inside is to outlive this program even while it is being made */
  bool peer_gone;
  u32 preserved; /* how many descriptors from 3 on the container inherits */
  u64 nofile_before; /* soft limit of open files before it was raised for ports; 0: not raised */
  u64 points[SLOT_LIMIT / 64];
  u32 arrivals;
  int arrived[ARRIVAL_LIMIT];
};

/* A compound operation. The result is a descriptor where ops.h says so, 0 otherwise, or a negated error number. */
typedef long step_function(struct actor *self, const struct step *step);
#define DECLARE_STEP(op, name, ...) step_function step_##name;
COMPOUND_OPERATIONS(DECLARE_STEP)

void prepare_actor(struct actor *self);
/* A step's descriptor argument; -1 where the slot is empty. */
int fd_argument(const struct actor *self, u64 slot);
const char *text_argument(const struct actor *self, u64 argument);
struct bytes bytes_argument(const struct actor *self, u64 argument);

/* Fills a slot; a descriptor that was in it is closed. */
void fill_slot(struct actor *self, u32 slot, int fd);

/* One step; its result is in its slot. 0, or an error that the step does not tolerate. */
long run_step(struct actor *self, const struct step *step);
/* The actor's own section, timed, until the first failure of either actor. */
long run_actor(struct actor *self);
/* A section that is run outside and apart from the start; every step is tried, the first failure is returned. */
long run_section(struct actor *self, u32 section);

/* True once either actor has failed: the other stops at its next look. */
bool start_failed(const struct actor *self);
void record_failure(struct actor *self, u32 section, u32 step, long error);

/* Waits for the other actor to end its set-up: by execve, exit or death. Its last messages are dropped. */
void await_peer_end(struct actor *self);

/* Tells the outside who goes on with the inside's steps. */
void announce_heir(struct actor *self, i32 pid, int pidfd);
/* Writes the actor's own pid over the bytes at `offset`; -EINVAL where they are not there. */
long put_pid(const struct actor *self, u8 *message, size_t size, u64 offset);

/* execve(2) with lists of NUL-ended entries. `path` NULL: the first argument, which is searched for where it has no slash. */
long execute(const char *path, struct bytes arguments, struct bytes environment, const char *search);

/* As execute() takes it. */
struct program {
  const char *path;
  struct bytes arguments, environment;
  const char *search;
};
/* Runs it with `input` on its standard input for `timeout` ms, 0: for ever. ETIMEDOUT, ECHILD where it failed, or why it could not be
   started; the note of the report says more. */
long run_program(struct actor *self, const struct program *program, struct bytes input, u64 timeout);

/* Default signal actions and an empty mask: what a program expects to start with. */
void reset_signals(void);

#endif
