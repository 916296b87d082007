/* The end of a container's run, and what comes after it. */
#include "sealed.h"
#include "shim.h"

#define SECOND 1000000000ULL
/* docker's pauses between restarts: doubled each time, forgotten after a run that lasted. */
#define FIRST_DELAY (SECOND / 10)
#define LONGEST_DELAY (60 * SECOND)
#define LASTING_RUN (10 * SECOND)
/* After the end: for output of processes that outlive the first, and for clients that do not read. */
#define QUIET (SECOND / 4)
#define PATIENCE (10 * SECOND)

static void note_end(struct shim *shim, int status) {
  shim->ended = true;
  shim->wait_status = status;
  shim->ended_at = shim->progress = monotonic_ns();
  shim->finished = realtime_ns();
  for (u32 i = 0; i < 2; i++) shim->streams[i].asleep = false;
  widen_clients(shim);
  /* Its processes, where there is no pid namespace that ended with the first of them. */
  run_section(shim->actor, SECTION_KILL);
}

void reap_children(struct shim *shim) {
  for (;;) {
    int status = 0;
    long pid = sys(wait4, -1, &status, WAIT_NOHANG, 0);
    if (pid <= 0) return;
    if (pid == shim->actor->pid && !shim->ended) note_end(shim, status);
  }
}

bool is_drained(struct shim *shim, u64 now) {
  if (shim->output_size > 0) return false;
  if (streams_ended(shim)) return true;
  return now - shim->progress > QUIET || now - shim->ended_at > PATIENCE;
}

void drop_stuck_clients(struct shim *shim, u64 now) {
  if (shim->output_size == 0 || now - shim->progress < PATIENCE) return;
  for (u32 i = 0; i < shim->client_count; i++) {
    struct client *client = &shim->clients[i];
    if (client->fd >= 0 && client_is_owed(shim, client)) drop_client(shim, client);
  }
}

static bool event_counted(int fd) {
  u64 count = 0;
  return fd >= 0 && sys(read, fd, &count, sizeof count) == sizeof count && count > 0;
}

static bool file_counts_kill(const char *path) {
  char events[512];
  const char key[] = "oom_kill ";
  if (path == NULL || read_file(AT_FDCWD, path, events, sizeof events) <= 0) return false;
  for (const char *line = events; *line != 0; line++) {
    if (memcmp(line, key, sizeof key - 1) == 0) return parse_number(line + sizeof key - 1) > 0;
    line += find_byte((const u8 *)line, strlen(line), '\n');
    if (*line == 0) break;
  }
  return false;
}

/* Before the cleanup: removing a cgroup counts as an event too. */
static void look_for_oom(struct shim *shim) {
  u32 slot = shim->settings->oom_slot;
  int fd = slot < SLOT_LIMIT ? shim->actor->slots[slot] : -1;
  shim->oom_killed = event_counted(fd) || file_counts_kill(recipe_path(&shim->actor->recipe, shim->settings->oom_path));
}

static bool wants_restart(const struct shim *shim) {
  const struct shim_settings *settings = shim->settings;
  if (shim->no_restart || settings->restart_policy == RESTART_NO) return false;
  if (settings->restart_policy == RESTART_ALWAYS) return true;
  if (settings->restart_limit > 0 && shim->restarts >= settings->restart_limit) return false;
  return exit_code(shim->wait_status) != 0;
}

static void plan_restart(struct shim *shim) {
  if (shim->ended_at - shim->run_began >= LASTING_RUN) shim->delay = 0;
  shim->delay = shim->delay == 0 ? FIRST_DELAY : shim->delay * 2;
  if (shim->delay > LONGEST_DELAY) shim->delay = LONGEST_DELAY;
  shim->restarts++;
  shim->restart_at = monotonic_ns() + shim->delay;
  shim->state = STATE_RESTARTING;
}

void conclude_run(struct shim *shim) {
  end_log_lines();
  look_for_oom(shim);
  close_streams(shim);
  bool restart = wants_restart(shim);
  if (restart) plan_restart(shim);
  else shim->state = STATE_EXITED;
  write_status(shim);
  run_section(shim->actor, SECTION_CLEANUP);
  if (!restart) end_shim(shim);
}

/* Reserved ports and everything else that the last run has opened. */
static void close_last_run(struct shim *shim) {
  int keep[CLIENT_LIMIT + 3] = {shim->listener, shim->signals, log_descriptor()};
  for (u32 i = 0; i < shim->client_count; i++) keep[i + 3] = shim->clients[i].fd;
  close_all_but(3, keep, shim->client_count + 3);
  prepare_actor(shim->actor);
}

static struct failure start_again(struct shim *shim) {
  close_last_run(shim);
  if (share_pages(shim->actor) < 0) return (struct failure){SECTION_OUTSIDE, 0, ENOMEM};
  long outside = run_outside(shim->actor);
  struct failure failure = finish_start(shim->actor, outside, true);
  write_timings(shim, failure);
  unshare_pages(shim->actor);
  return failure;
}

/* A restart that was given up leaves the exit status of the run before it. */
void restart_container(struct shim *shim) {
  if (!shim->no_restart) {
    shim->restart_failure = start_again(shim);
    if (shim->restart_failure.error == 0) {
      announce_run(shim);
      take_over_run(shim);
      return;
    }
    shim->wait_status = 128 << 8;
  } else {
    shim->restarts--;
  }
  shim->state = STATE_EXITED;
  write_status(shim);
  end_shim(shim);
}

static void tell_exit(struct shim *shim, struct client *client) {
  u32 words[3] = {(u32)exit_code(shim->wait_status), (u32)exit_signal(shim->wait_status), shim->oom_killed};
  if (client->fd < 0 || !client->wants_exit) return;
  client->wants_exit = !queue_frame(client, 'X', words, sizeof words);
  client->spoke = true;
}

/* Somebody is owed an answer, or has connected and not yet said what it wants. */
static bool is_awaited(const struct shim *shim, const struct client *client) {
  if (client->fd < 0 || client->leaving) return false;
  return client_is_owed(shim, client) || !client->spoke || client->wants_exit;
}

static bool say_farewell(struct shim *shim) {
  bool awaited = false;
  for (u32 i = 0; i < shim->client_count; i++) {
    tell_exit(shim, &shim->clients[i]);
    flush_client(shim, &shim->clients[i]);
    awaited |= is_awaited(shim, &shim->clients[i]);
  }
  return awaited;
}

_Noreturn void end_shim(struct shim *shim) {
  run_section(shim->actor, SECTION_REMOVE);
  /* Before anybody is told: whoever knows of the end finds nothing left. */
  sys(unlinkat, AT_FDCWD, recipe_path(&shim->actor->recipe, shim->settings->socket_path), 0);
  say_farewell(shim);
  shim->last_call = true;
  /* Whoever has connected just now is heard; whoever does not read or speak is not waited for long. */
  u64 end = monotonic_ns() + SECOND / 5;
  do shim_turn(shim);
  while ((shim->awaited = say_farewell(shim)) && monotonic_ns() < end);
  end_process(0);
}
