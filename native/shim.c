#include "shim.h"

#include "sealed.h"
#include "socket.h"

#include <linux/prctl.h>

#define MILLISECOND 1000000ULL
/* Buffers are given back after this long without work. */
#define REST_MS 1000
#define TERMINAL_LOOK_MS 200
/* After the container's end: deadlines are in life.c, this is how often they are looked at. */
#define ENDING_MS 20

static struct shim shim;

/* The poll set, in this order; clients follow. */
enum { POLL_SIGNALS, POLL_LISTENER, POLL_STREAMS, POLL_STDIN = POLL_STREAMS + 2, POLL_CLIENTS };

static void rest(struct shim *shim) {
  sys(madvise, &buffers, sizeof buffers, MADV_DONTNEED);
  release_log_memory();
  shim->buffers_used = false;
}

static struct pollfd watch(int fd, short events) {
  return (struct pollfd){fd, events, 0};
}

/* A client is always watched for its end; for more only while there is room for what it brings. One that has left is read
   from when there is room again. */
static struct pollfd watch_client(const struct shim *shim, const struct client *client) {
  short events = 0;
  if (client->fd >= 0 && client_may_speak(shim, client)) events |= POLLIN;
  if (client->fd >= 0 && client_is_owed(shim, client)) events |= POLLOUT;
  return watch(client->leaving && events == 0 ? -1 : client->fd, events);
}

static u32 fill_poll_set(const struct shim *shim, struct pollfd *set) {
  bool may_read = shim->output_size == 0;
  set[POLL_SIGNALS] = watch(shim->signals, POLLIN);
  set[POLL_LISTENER] = watch(has_room(shim) && !shim->deaf ? shim->listener : -1, POLLIN);
  for (u32 i = 0; i < 2; i++) {
    const struct stream *stream = &shim->streams[i];
    set[POLL_STREAMS + i] = watch(may_read && !stream->asleep ? stream->fd : -1, POLLIN);
  }
  set[POLL_STDIN] = watch(shim->input_size > 0 ? shim->stdin_fd : -1, POLLOUT);
  for (u32 i = 0; i < shim->client_count; i++) set[POLL_CLIENTS + i] = watch_client(shim, &shim->clients[i]);
  return POLL_CLIENTS + shim->client_count;
}

static bool any_asleep(const struct shim *shim) {
  return shim->streams[0].asleep || shim->streams[1].asleep;
}

/* In milliseconds; -1: until something happens. */
static long patience(const struct shim *shim) {
  if (shim->last_call) return shim->awaited ? ENDING_MS : 0;
  if (shim->ended && shim->state != STATE_RESTARTING) return ENDING_MS;
  if (shim->state == STATE_RESTARTING) {
    u64 now = monotonic_ns();
    return now >= shim->restart_at ? 0 : (long)((shim->restart_at - now) / MILLISECOND + 1);
  }
  if (any_asleep(shim)) return TERMINAL_LOOK_MS;
  return shim->buffers_used || shim->deaf ? REST_MS : -1;
}

static long wait_for_events(const struct shim *shim, struct pollfd *set, u32 count) {
  long milliseconds = patience(shim);
  struct __kernel_timespec time = {milliseconds / 1000, (milliseconds % 1000) * (long)MILLISECOND};
  return sys(ppoll, set, count, milliseconds < 0 ? NULL : &time, 0, 8);
}

static void take_signals(struct shim *shim) {
  u8 signals[128 * 4]; /* struct signalfd_siginfo; what they say is asked of wait4 */
  sys(read, shim->signals, signals, sizeof signals);
  reap_children(shim);
}

static void accept_clients(struct shim *shim) {
  long fd = 0;
  while (has_room(shim) && (fd = sys(accept4, shim->listener, 0, 0, SOCK_CLOEXEC_)) >= 0) {
    receive_requests(shim, add_client(shim, (int)fd));
  }
  shim->deaf = fd < 0 && fd != -EAGAIN && fd != -ECONNABORTED && fd != -EINTR;
}

static void serve_client(struct shim *shim, struct client *client, short events) {
  if (client->fd >= 0 && (events & POLLOUT)) flush_client(shim, client);
  if (client->fd >= 0 && (events & POLLIN)) receive_requests(shim, client);
  else if (client->fd >= 0 && (events & (POLLHUP | POLLERR | POLLNVAL))) let_client_leave(shim, client);
}

static void read_streams(struct shim *shim, const struct pollfd *set) {
  for (u32 i = 0; i < 2; i++) {
    struct stream *stream = &shim->streams[i];
    if (stream->fd >= 0 && shim->output_size == 0 && (set[i].revents != 0 || stream->asleep)) read_stream(shim, stream);
  }
}

void shim_turn(struct shim *shim) {
  struct pollfd set[POLL_CLIENTS + CLIENT_LIMIT];
  u32 count = fill_poll_set(shim, set);
  long ready = wait_for_events(shim, set, count);
  if (ready == 0) shim->deaf = false;
  if (ready < 0 && ready != -EINTR) sleep_ms(ENDING_MS); /* more to watch than the limit of open files allows */
  if (ready == 0 && shim->buffers_used && !shim->ended && shim->output_size + shim->input_size == 0) rest(shim);
  if (ready <= 0 && !any_asleep(shim)) return;
  if (set[POLL_STDIN].revents != 0) write_input(shim);
  for (u32 i = 0; i + POLL_CLIENTS < count; i++) {
    if (set[POLL_CLIENTS + i].revents != 0) serve_client(shim, &shim->clients[i], set[POLL_CLIENTS + i].revents);
  }
  finish_chunk(shim);
  read_streams(shim, set + POLL_STREAMS);
  if (set[POLL_SIGNALS].revents != 0) take_signals(shim);
  if (set[POLL_LISTENER].revents != 0) accept_clients(shim);
}

static void follow_life(struct shim *shim) {
  u64 now = monotonic_ns();
  if (shim->state == STATE_RESTARTING) {
    if (now >= shim->restart_at) restart_container(shim);
  } else if (shim->ended) {
    drop_stuck_clients(shim, now);
    if (is_drained(shim, now)) conclude_run(shim);
  }
}

/* A slot is kept where a later section or the settings name it. */
static bool names_slot(const struct step *step, u32 slot) {
  const struct operation *operation = &operations[step->op];
  for (u32 param = 0; param < 6 && operation->kinds[param] != KIND_NONE; param++) {
    if (operation->kinds[param] == KIND_FD && step->args[param] == slot) return true;
    if (operation->kinds[param] == KIND_FIXUP && step->args[param + 1] == FIXUP_SLOT && step->args[param + 2] == slot) {
      return true;
    }
  }
  return false;
}

static bool slot_is_needed(const struct shim *shim, u32 slot) {
  const struct shim_settings *settings = shim->settings;
  const struct recipe *recipe = &shim->actor->recipe;
  if (slot == settings->stdin_slot || slot == settings->stdout_slot || slot == settings->stderr_slot) return true;
  if (slot == settings->oom_slot) return true;
  for (u32 section = SECTION_CLEANUP; section < SECTION_COUNT; section++) {
    for (u32 i = 0; i < section_size(recipe, section); i++) {
      if (names_slot(&section_steps(recipe, section)[i], slot)) return true;
    }
  }
  return false;
}

static void close_unneeded_slots(struct shim *shim) {
  struct actor *actor = shim->actor;
  for (u32 slot = 0; slot < actor->recipe.header->slot_count; slot++) {
    int fd = actor->slots[slot];
    if (fd >= 0 && fd != actor->pidfd && !slot_is_needed(shim, slot)) fill_slot(actor, slot, -1);
  }
}

long announce_run(struct shim *shim) {
  shim->ended = shim->oom_killed = false;
  shim->state = STATE_RUNNING;
  shim->started = realtime_ns();
  shim->run_began = shim->progress = monotonic_ns();
  return write_status(shim);
}

void take_over_run(struct shim *shim) {
  open_streams(shim);
  close_unneeded_slots(shim);
  /* It may have ended before anybody was told. */
  reap_children(shim);
}

/* Nothing of the starting client's is held: neither its terminal, nor its pipes, nor its directory. */
static void leave_client(int report_fd) {
  int null = (int)sys(openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
  for (int fd = 0; fd < 3; fd++) {
    if (null < 0 || sys(dup3, null, fd, 0) < 0) sys(close, fd);
  }
  close_fd(null);
  if (report_fd > 2) close_fd(report_fd);
  sys(chdir, "/");
  sys(prctl, PR_SET_NAME, "galley-shim");
}

/* Who ends a session, or stops the machine, sends these to everybody; the shim ends when its container has. */
static void outlive_signals(void) {
  const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGTSTP, SIGTTIN, SIGTTOU};
  const u64 ignore[4] = {1};
  for (u32 i = 0; i < sizeof numbers / sizeof numbers[0]; i++) sys(rt_sigaction, numbers[i], ignore, 0, 8);
}

static void watch_children(struct shim *shim) {
  u64 mask = 1ULL << (SIGCHLD - 1);
  sys(rt_sigprocmask, SIG_BLOCK, &mask, 0, 8);
  shim->signals = (int)sys(signalfd4, -1, &mask, 8, O_CLOEXEC | O_NONBLOCK);
}

static void welcome_first_client(struct shim *shim) {
  if (shim->settings->attach_fd == NO_ATTACH_FD) return;
  struct client *client = add_client(shim, (int)shim->settings->attach_fd);
  /* It is told of the end unasked: the end may come before it has said anything. */
  client->wants_output = client->wants_exit = client->spoke = true;
  client->has_stdin = shim->settings->flags & SHIM_OPEN_STDIN;
}

static _Noreturn void refuse_start(const char *socket_path, int report_fd, long error) {
  sys(unlinkat, AT_FDCWD, socket_path, 0);
  write_refusal(report_fd, (i32)-error);
  end_process(1);
}

static void start_first(struct shim *shim, int report_fd) {
  struct actor *actor = shim->actor;
  const char *socket_path = recipe_path(&actor->recipe, shim->settings->socket_path);
  long listener = listen_unix(socket_path), result = listener < 0 ? listener : share_pages(actor);
  if (result < 0) refuse_start(socket_path, report_fd, result);
  shim->listener = (int)listener;
  long outside = run_outside(actor);
  read_identity(shim);
  struct failure failure = finish_start(actor, outside, true);
  if (failure.error != 0) {
    sys(unlinkat, AT_FDCWD, socket_path, 0);
    write_report(actor, report_fd, failure);
    end_process(1);
  }
  /* A container whose end nobody could be told of does not run. */
  result = announce_run(shim);
  if (result >= 0) return;
  undo_start(actor);
  refuse_start(socket_path, report_fd, result);
}

_Noreturn void run_shim(struct actor *self, int report_fd) {
  shim.actor = self;
  shim.settings = &self->recipe.header->shim;
  shim.signals = -1;
  shim.streams[0].fd = shim.streams[1].fd = shim.stdin_fd = -1;
  sys(setsid, 0);
  sys(prctl, PR_SET_CHILD_SUBREAPER, 1);
  start_first(&shim, report_fd);
  write_report(self, report_fd, (struct failure){0, 0, 0});
  leave_client(report_fd);
  write_timings(&shim, (struct failure){0, 0, 0});
  unshare_pages(self);
  const struct shim_settings *settings = shim.settings;
  if (settings->flags & SHIM_LOG) open_log(recipe_path(&self->recipe, settings->log_path), settings->log_size, settings->log_files);
  outlive_signals();
  watch_children(&shim);
  welcome_first_client(&shim);
  take_over_run(&shim);
  for (;;) {
    follow_life(&shim);
    shim_turn(&shim);
  }
}
