/* Programs of the host that are run on the way and waited for: hooks, where the container's process will be, and what maps IDs. */
#include "actor.h"

#define POLLIN_ 1
#define POLLOUT_ 4
#define LATER 1 /* ms between two looks at a program that has closed its streams */

enum { IN, OUT, ERR, FATE, PIPES };

struct hook {
  i32 pid;
  u64 end; /* on the monotonic clock; 0: none */
  int pipes[PIPES][2];
  const u8 *input;
  size_t size, fed;
};

static void close_pipes(struct hook *hook) {
  for (u32 i = 0; i < PIPES; i++) {
    close_fd(hook->pipes[i][0]);
    close_fd(hook->pipes[i][1]);
  }
}

static void close_end(int *end) {
  close_fd(*end);
  *end = -1;
}

static long open_pipes(struct hook *hook) {
  long result = 0;
  memset(hook->pipes, -1, sizeof hook->pipes);
  for (u32 i = 0; i < PIPES && result >= 0; i++) result = sys(pipe2, hook->pipes[i], O_CLOEXEC);
  return result < 0 ? result : sys(fcntl, hook->pipes[IN][1], F_SETFL, O_NONBLOCK);
}

/* In the child, which tells through a pipe that an exec closes why it could not be another program. */
static _Noreturn void become_hook(const struct program *program, struct hook *hook) {
  reset_signals();
  sys(dup3, hook->pipes[IN][0], 0, 0);
  sys(dup3, hook->pipes[OUT][1], 1, 0);
  sys(dup3, hook->pipes[ERR][1], 2, 0);
  sys(close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
  u32 error = (u32)-execute(program->path, program->arguments, program->environment, program->search);
  write_fully(hook->pipes[FATE][1], &error, sizeof error);
  end_process(127);
}

static long start_hook(const struct program *program, struct hook *hook) {
  u32 error = 0;
  long child = sys(clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) become_hook(program, hook);
  if (child < 0) return child;
  hook->pid = (i32)child;
  close_end(&hook->pipes[IN][0]);
  for (u32 i = OUT; i < PIPES; i++) close_end(&hook->pipes[i][1]);
  if (read_fully(hook->pipes[FATE][0], &error, sizeof error) < (long)sizeof error) return 0;
  sys(wait4, hook->pid, 0, 0, 0);
  return -(long)error;
}

static void feed(struct hook *hook) {
  long put = sys(write, hook->pipes[IN][1], hook->input + hook->fed, hook->size - hook->fed);
  if (put > 0) hook->fed += (size_t)put;
  if (hook->fed == hook->size || (put < 0 && put != -EAGAIN && put != -EINTR)) close_end(&hook->pipes[IN][1]);
}

/* What has no room is read none the less: the hook must not wait for it. */
static void take(int *pipe, char *to, u32 *size, u32 room) {
  char rest[512];
  bool full = *size == room;
  long got = full ? sys(read, *pipe, rest, sizeof rest) : sys(read, *pipe, to + *size, room - *size);
  if (got > 0 && !full) *size += (u32)got;
  if (got == 0 || (got < 0 && got != -EINTR)) close_end(pipe);
}

/* Milliseconds that are left, never 0 before the end; -1: any number. */
static long left(const struct hook *hook) {
  u64 now = monotonic_ns();
  if (hook->end == 0) return -1;
  return now >= hook->end ? 0 : (long)((hook->end - now) / 1000000) + 1;
}

/* Until both of its outputs are closed; ETIMEDOUT where its time was over first. */
static long listen_to(struct hook *hook, struct hook_note *note) {
  while (hook->pipes[OUT][0] >= 0 || hook->pipes[ERR][0] >= 0) {
    struct pollfd look[] = {{hook->pipes[IN][1], POLLOUT_, 0}, {hook->pipes[OUT][0], POLLIN_, 0}, {hook->pipes[ERR][0], POLLIN_, 0}};
    long rest = left(hook);
    struct __kernel_timespec time = {rest / 1000, rest % 1000 * 1000000};
    if (rest == 0) return -ETIMEDOUT;
    long ready = sys(ppoll, look, 3, rest < 0 ? NULL : &time, 0, 0);
    if (ready < 0 && ready != -EINTR) return ready;
    if (ready <= 0) continue;
    if (look[0].revents != 0) feed(hook);
    if (look[1].revents != 0) take(&hook->pipes[OUT][0], note->out, &note->out_size, sizeof note->out);
    if (look[2].revents != 0) take(&hook->pipes[ERR][0], note->err, &note->err_size, sizeof note->err);
  }
  return 0;
}

static long await_hook(const struct hook *hook, int *status) {
  for (;;) {
    long ended = sys(wait4, hook->pid, status, hook->end == 0 ? 0 : WAIT_NOHANG, 0);
    if (ended == hook->pid) return 0;
    if (ended < 0 && ended != -EINTR) return ended;
    if (left(hook) == 0) return -ETIMEDOUT;
    if (ended == 0) sleep_ms(LATER);
  }
}

static long watch_hook(struct hook *hook, struct hook_note *note) {
  const u64 ignore[4] = {1};
  u64 before[4] = {0};
  int status = 0;
  sys(rt_sigaction, SIGPIPE, ignore, before, 8);
  long result = listen_to(hook, note);
  sys(rt_sigaction, SIGPIPE, before, 0, 8);
  if (result == 0) result = await_hook(hook, &status);
  if (result < 0) {
    sys(kill, hook->pid, SIGKILL);
    sys(wait4, hook->pid, &status, 0, 0);
  }
  note->status = (u32)status;
  return result == 0 && status != 0 ? -ECHILD : result;
}

/* After a container's end nobody reads it. */
static struct hook_note *blank_note(const struct actor *self) {
  static struct hook_note unread;
  struct hook_note *note = self->shared == NULL ? &unread : &self->shared->note;
  memset(note, 0, sizeof *note);
  return note;
}

long run_program(struct actor *self, const struct program *program, struct bytes input, u64 timeout) {
  struct hook_note *note = blank_note(self);
  struct hook hook = {.size = input.size, .input = input.start};
  long result = open_pipes(&hook);
  if (timeout != 0) hook.end = monotonic_ns() + timeout * 1000000;
  if (result >= 0) result = start_hook(program, &hook);
  if (result >= 0) result = watch_hook(&hook, note);
  close_pipes(&hook);
  if (self->shared != NULL) self->shared->has_note = result < 0;
  return result;
}

long step_run_hook(struct actor *self, const struct step *step) {
  struct bytes template = bytes_argument(self, step->args[3]);
  const struct program program = {text_argument(self, step->args[0]), bytes_argument(self, step->args[1]),
                                  bytes_argument(self, step->args[2]), ""};
  u8 *input = map_memory(template.size + 1);
  if (input == NULL) return -ENOMEM;
  memcpy(input, template.start, template.size);
  long result = put_pid(self, input, template.size, step->args[4]);
  if (result == 0) result = run_program(self, &program, (struct bytes){input, template.size}, step->args[5]);
  unmap_memory(input, template.size + 1);
  return result;
}
