#include "start.h"

#include "process.h"

#define REPORT_MAGIC 0x53594c47U
#define NO_SECTION 0xffffffffU

struct report_head {
  u32 magic;
  u32 size;
  u32 state;
  u32 section;
  u32 step;
  i32 error;
  i32 pid;
  u32 note_size;
  u64 began;
  u64 start_time;
};
_Static_assert(sizeof(struct report_head) == 48, "the report's head is part of the encoding");

static u32 timed_steps(const struct actor *self) {
  return section_size(&self->recipe, SECTION_OUTSIDE) + section_size(&self->recipe, SECTION_INSIDE);
}

static size_t shared_size(const struct actor *self) {
  return sizeof(struct shared) + timed_steps(self) * sizeof(struct timing);
}

long share_pages(struct actor *self) {
  long start = sys(mmap, 0, shared_size(self), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (start < 0 && start > -4096) return start;
  self->shared = (struct shared *)start;
  self->shared->began = monotonic_ns();
  return 0;
}

void unshare_pages(struct actor *self) {
  unmap_memory(self->shared, shared_size(self));
  self->shared = NULL;
}

static void kill_inside(struct actor *self) {
  int status;
  if (self->pidfd < 0) return;
  sys(pidfd_send_signal, self->pidfd, SIGKILL, 0, 0);
  while (sys(wait4, self->pid, &status, 0, 0) == -EINTR) continue;
}

/* The inside has come to its execve, or to its end. */
static bool inside_done(const struct actor *self) {
  u32 at = __atomic_load_n(&self->shared->current[1], __ATOMIC_RELAXED), count = section_size(&self->recipe, SECTION_INSIDE);
  return at >= count || section_steps(&self->recipe, SECTION_INSIDE)[at].op == OP_EXEC;
}

/* An inside that was killed leaves no failure behind: its last step is told. Where it had come to its end already,
   the outside has waited for something that nobody sends. */
static void blame_silent_end(struct actor *self, long outside) {
  if (self->pidfd >= 0 && !inside_done(self)) {
    record_failure(self, SECTION_INSIDE, self->shared->current[1], -ECANCELED);
  } else if (outside < 0) {
    record_failure(self, SECTION_OUTSIDE, self->shared->current[0], outside);
  }
}

void undo_start(struct actor *self) {
  kill_inside(self);
  self->shared->failure = 0; /* so that no step of the cleanup thinks it should stop */
  run_section(self, SECTION_CLEANUP);
}

static struct failure first_failure(const struct actor *self) {
  u64 failure = self->shared->failure;
  return (struct failure){(u32)(failure >> 32) & 0xffff, (u32)failure, (i32)(failure >> 48)};
}

/* With nothing more to send, a wait of the inside that nobody will answer ends too. */
static void finish_meeting(struct actor *self) {
  if (self->peer >= 0) sys(shutdown, self->peer, 1 /* SHUT_WR */);
  await_peer_end(self);
}

long run_outside(struct actor *self) {
  long result = run_actor(self);
  if (self->pid > 0) self->start_time = process_start_time(self->pid);
  return result;
}

struct failure finish_start(struct actor *self, long outside, bool await_exec) {
  if (outside == 0 && await_exec) finish_meeting(self);
  if (outside < 0 || await_exec) blame_silent_end(self, outside);
  struct failure failure = first_failure(self);
  if (failure.error != 0) undo_start(self);
  while (self->arrivals > 0) close_fd(self->arrived[--self->arrivals]);
  close_fd(self->peer);
  self->peer = -1;
  return failure;
}

void write_report(struct actor *self, int fd, struct failure failure) {
  size_t timings = timed_steps(self) * sizeof(struct timing);
  u32 note = self->shared->has_note ? sizeof self->shared->note : 0;
  struct report_head head = {
      REPORT_MAGIC, (u32)(sizeof head + timings + note), failure.error != 0, failure.section, failure.step, failure.error,
      self->pid,    note,                         self->shared->began, self->start_time};
  const struct io_slice slices[] = {{&head, sizeof head}, {self->shared->timings, timings}, {&self->shared->note, note}};
  long put = sys(writev, fd, slices, 3);
  /* A pipe may take less at once; a reader that is gone needs nothing more. */
  size_t done = put < 0 ? head.size : (size_t)put;
  for (u32 i = 0; i < 3; i++) {
    size_t part = done < slices[i].size ? done : slices[i].size;
    write_fully(fd, (const u8 *)slices[i].start + part, slices[i].size - part);
    done -= part;
  }
}

void write_refusal(int fd, i32 error) {
  struct report_head head = {REPORT_MAGIC, sizeof head, 1, NO_SECTION, 0, error, 0, 0, 0, 0};
  write_fully(fd, &head, sizeof head);
}
