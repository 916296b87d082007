/* The status file and the record of the start: what other processes know of the container without asking. */
#include "process.h"
#include "shim.h"

static const char *const state_names[] = {"running", "paused", "restarting", "exited"};

void read_identity(struct shim *shim) {
  long size = read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", shim->boot_id, sizeof shim->boot_id);
  if (size > 0 && shim->boot_id[size - 1] == '\n') shim->boot_id[size - 1] = 0;
  shim->own_start_time = process_start_time(0);
}

static void put_value(struct text *text, const char *key, u64 value) {
  put_text(text, key);
  put_text(text, " ");
  put_number(text, value);
  put_text(text, "\n");
}

static void put_pair(struct text *text, const char *key, u64 first, u64 second) {
  put_text(text, key);
  put_text(text, " ");
  put_number(text, first);
  put_text(text, " ");
  put_number(text, second);
  put_text(text, "\n");
}

static void put_end(const struct shim *shim, struct text *text) {
  put_value(text, "finished", shim->finished);
  put_value(text, "exit", (u64)exit_code(shim->wait_status));
  if (exit_signal(shim->wait_status) != 0) put_value(text, "signal", (u64)exit_signal(shim->wait_status));
  put_value(text, "oom", shim->oom_killed);
}

static void put_failure(struct text *text, struct failure failure) {
  put_text(text, "failed ");
  put_number(text, failure.section);
  put_text(text, " ");
  put_number(text, failure.step);
  put_text(text, " ");
  put_number(text, (u64)failure.error);
  put_text(text, "\n");
}

void describe_status(const struct shim *shim, struct text *text) {
  put_text(text, "state ");
  put_text(text, state_names[shim->state]);
  put_text(text, "\n");
  put_pair(text, "shim", (u64)sys(getpid, 0), shim->own_start_time);
  put_pair(text, "init", (u64)shim->actor->pid, shim->actor->start_time);
  put_value(text, "started", shim->started);
  if (shim->finished > 0) put_end(shim, text);
  put_value(text, "restarts", shim->restarts);
  put_text(text, "boot ");
  put_text(text, shim->boot_id);
  put_text(text, "\n");
  if (shim->restart_failure.error != 0) put_failure(text, shim->restart_failure);
  if (lost_log_lines() > 0) put_value(text, "lost", lost_log_lines());
}

/* A full disk has no room for a new file, but the old one keeps its block, and no status outgrows that. */
static long write_in_place(const char *path, const char *content, size_t size) {
  long fd = sys(openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  long put = write_fully((int)fd, content, size);
  if (put >= 0) put = sys(ftruncate, fd, size);
  close_fd((int)fd);
  return put;
}

static long replace_file(const char *path, const char *content, size_t size) {
  char other[PATH_SIZE];
  struct text text = {other, 0, sizeof other, false};
  put_text(&text, path);
  put_text(&text, ".new");
  finish_text(&text);
  if (text.full) return -ENAMETOOLONG;
  long result = write_file(AT_FDCWD, other, content, size, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (result >= 0) return sys(renameat2, AT_FDCWD, other, AT_FDCWD, path, 0);
  sys(unlinkat, AT_FDCWD, other, 0);
  return write_in_place(path, content, size) < 0 ? result : 0;
}

long write_status(const struct shim *shim) {
  const char *path = recipe_path(&shim->actor->recipe, shim->settings->status_path);
  char status[600];
  struct text text = {status, 0, sizeof status, false};
  if (path == NULL) return 0;
  describe_status(shim, &text);
  return replace_file(path, status, text.size);
}

void write_timings(struct shim *shim, struct failure failure) {
  const char *path = recipe_path(&shim->actor->recipe, shim->settings->timings_path);
  if (path == NULL) return;
  long fd = sys(openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return;
  write_report(shim->actor, (int)fd, failure);
  close_fd((int)fd);
}
