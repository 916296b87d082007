#include "actor.h"

static step_function *const compound[OP_LIMIT] = {
#define FUNCTION(op, name, ...) [OP_##op] = step_##name,
    COMPOUND_OPERATIONS(FUNCTION)};

void prepare_actor(struct actor *self) {
  for (u32 i = 0; i < SLOT_LIMIT; i++) self->slots[i] = -1;
  for (u32 i = 0; i < SLOT_LIMIT / 64; i++) self->points[i] = 0;
  self->peer = self->pidfd = self->empty_mount = self->gate = self->passed = -1;
  self->pid = self->heir = 0;
  self->awaits_heir = false;
  self->start_time = 0;
  self->arrivals = 0;
  self->peer_gone = false;
}

int fd_argument(const struct actor *self, u64 slot) {
  if (slot == SLOT_CWD) return AT_FDCWD;
  return slot < SLOT_LIMIT ? self->slots[slot] : -1;
}

const char *text_argument(const struct actor *self, u64 argument) {
  return recipe_text(&self->recipe, argument);
}

struct bytes bytes_argument(const struct actor *self, u64 argument) {
  return recipe_bytes(&self->recipe, argument);
}

void fill_slot(struct actor *self, u32 slot, int fd) {
  close_fd(self->slots[slot]);
  self->slots[slot] = fd;
}

/* A close step empties the slot, so that nothing closes the number again when another file has it. */
static void forget_closed(struct actor *self, u64 slot) {
  if (slot < SLOT_LIMIT) self->slots[slot] = -1;
}

static long call_plain(struct actor *self, const struct step *step, const struct operation *operation) {
  long words[8] = {0};
  for (u32 param = 0, at = 0; param < 6 && operation->kinds[param] != KIND_NONE && at < 6; param++) {
    u64 argument = step->args[param];
    struct bytes bytes;
    switch (operation->kinds[param]) {
      case KIND_STR:
        words[at++] = (long)text_argument(self, argument);
        break;
      case KIND_DATA:
        bytes = bytes_argument(self, argument);
        words[at++] = (long)bytes.start;
        words[at++] = (long)bytes.size;
        break;
      case KIND_LENGTH_DATA:
        bytes = bytes_argument(self, argument);
        words[at++] = (long)bytes.size;
        words[at++] = (long)bytes.start;
        break;
      case KIND_PTR:
        bytes = bytes_argument(self, argument);
        words[at++] = bytes.size == 0 ? 0 : (long)bytes.start; /* no bytes: a null pointer */
        break;
      case KIND_FD:
        words[at++] = fd_argument(self, argument);
        break;
      default:
        words[at++] = (long)argument;
    }
  }
  long result = syscall6(operation->system_call, words[0], words[1], words[2], words[3], words[4], words[5]);
  if (step->op == OP_CLOSE) forget_closed(self, step->args[0]);
  return result;
}

#define CAUSE_ROOM 900U
#define PID_ROOM 10
#define NOWHERE 0xffffffffU

long put_pid(const struct actor *self, u8 *message, size_t size, u64 offset) {
  struct text text = {(char *)message + offset, 0, PID_ROOM, false};
  if (offset == NOWHERE) return 0;
  if (offset > size || size - offset < PID_ROOM) return -EINVAL;
  put_number(&text, self->inside ? (u64)sys(getpid, 0) : (u64)self->pid);
  return 0;
}

static bool tolerated(const struct step *step, long error) {
  for (u32 i = 0; i < 4; i++) {
    if (step->tolerate[i] != 0 && step->tolerate[i] == -error) return true;
  }
  return false;
}

/* 0, 1 and 2 are always open, so a result that small is no new descriptor but a plain success. */
static void keep_result(struct actor *self, const struct step *step, long result) {
  if (result <= 2) return;
  if (step->out != NO_SLOT) fill_slot(self, step->out, (int)result);
  else if (step->op != OP_CLONE && step->op != OP_RESERVE_PORT) close_fd((int)result);
}

long run_step(struct actor *self, const struct step *step) {
  const struct operation *operation = &operations[step->op];
  long result;
  if (step->op >= FIRST_COMPOUND_OP) {
    result = compound[step->op](self, step);
  } else {
    do result = call_plain(self, step, operation);
    while (result == -EINTR && step->op != OP_CLOSE);
  }
  if (result < 0) return tolerated(step, result) ? 0 : result;
  if (operation->has_result) keep_result(self, step, result);
  return 0;
}

bool start_failed(const struct actor *self) {
  return self->shared != NULL && __atomic_load_n(&self->shared->failure, __ATOMIC_RELAXED) != 0;
}

void record_failure(struct actor *self, u32 section, u32 step, long error) {
  u64 none = 0, failure = (u64)-error << 48 | (u64)section << 32 | step;
  __atomic_compare_exchange_n(&self->shared->failure, &none, failure, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* Where the inside has ended, the reason is looked for there first; see blame_silent_end in start.c. */
static bool own_failure(const struct actor *self, long error) {
  return error != -ECANCELED || self->inside || !self->peer_gone;
}

/* Whoever has opened the gate waits for its end, or for this, which is written at once (pipe(7), PIPE_BUF). */
static void tell_gate(const struct actor *self, u32 index, const struct step *step, long error) {
  const char *cause = step->cause == 0 ? "" : recipe_path(&self->recipe, step->cause);
  u32 note = self->shared->has_note ? sizeof self->shared->note : 0, size = (u32)strlen(cause);
  if (size > CAUSE_ROOM) size = CAUSE_ROOM;
  const u32 words[] = {index, (u32)-error, size, note};
  struct io_slice slices[] = {{words, sizeof words}, {cause, size}, {&self->shared->note, note}};
  sys(writev, self->gate, slices, 3);
}

long run_actor(struct actor *self) {
  u32 section = self->inside ? SECTION_INSIDE : SECTION_OUTSIDE;
  u32 count = section_size(&self->recipe, section);
  const struct step *steps = section_steps(&self->recipe, section);
  struct timing *timings = self->shared->timings + (self->inside ? section_size(&self->recipe, SECTION_OUTSIDE) : 0);
  u64 now = monotonic_ns() - self->shared->began;
  for (u32 i = 0; i < count; i++) {
    if (start_failed(self)) return -ECANCELED;
    self->shared->current[self->inside] = i;
    timings[i].start = now;
    if (steps[i].op == OP_EXEC) timings[i].end = now; /* nobody is left to write it */
    long result = run_step(self, &steps[i]);
    now = monotonic_ns() - self->shared->began;
    timings[i].end = now;
    if (result >= 0) continue;
    if (own_failure(self, result)) record_failure(self, section, i, result);
    if (self->gate >= 0) tell_gate(self, i, &steps[i], result);
    return result;
  }
  self->shared->current[self->inside] = count;
  return 0;
}

long run_section(struct actor *self, u32 section) {
  const struct step *steps = section_steps(&self->recipe, section);
  long first = 0;
  for (u32 i = 0; i < section_size(&self->recipe, section); i++) {
    long result = run_step(self, &steps[i]);
    if (result < 0 && first == 0) first = result;
  }
  return first;
}
