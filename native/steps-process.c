/* Steps that make, become or describe processes. */
#include "actor.h"
#include "init.h"
#include "process.h"

#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>

#define NAMESPACES                                                                                       \
  (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | \
   CLONE_NEWTIME)
#define SIGNAL_LIMIT 64

void reset_signals(void) {
  const u64 action[4] = {0}, none = 0; /* SIG_DFL, no flags, on every architecture */
  for (int number = 1; number <= SIGNAL_LIMIT; number++) sys(rt_sigaction, number, action, 0, 8);
  sys(rt_sigprocmask, SIG_SETMASK, &none, 0, 8);
}

/* A first process whose maker dies must not live on half made. */
static void become_inside(struct actor *self, int peer) {
  self->inside = true;
  self->peer = peer;
  self->pidfd = -1;
  if (!self->keeps_parentless) sys(prctl, PR_SET_PDEATHSIG, SIGKILL);
  reset_signals();
}

static _Noreturn void live_inside(struct actor *self, int peer) {
  become_inside(self, peer);
  end_process(run_actor(self) == 0 ? 0 : 1);
}

long step_clone(struct actor *self, const struct step *step) {
  int pair[2], pidfd = -1, cgroup = fd_argument(self, step->args[1]);
  if (self->inside || self->pidfd >= 0 || (step->args[0] & ~(u64)NAMESPACES) != 0) return -EINVAL;
  if (cgroup < 0 && step->args[1] != SLOT_NONE) return -EBADF;
  long result = sys(socketpair, AF_UNIX_, SOCK_SEQPACKET_ | SOCK_CLOEXEC_, 0, pair);
  if (result < 0) return result;
  struct clone_args args = {.flags = step->args[0] | CLONE_PIDFD, .pidfd = (u64)&pidfd, .exit_signal = SIGCHLD};
  if (cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = (u64)cgroup;
  }
  result = sys(clone3, &args, sizeof args);
  close_fd(pair[result == 0 ? 0 : 1]);
  if (result == 0) live_inside(self, pair[1]);
  if (result < 0) {
    close_fd(pair[0]);
    return result;
  }
  self->peer = pair[0];
  self->pid = (i32)result;
  self->pidfd = pidfd;
  return pidfd;
}

long step_rebirth(struct actor *self, const struct step *step) {
  int pidfd = -1;
  if (!self->inside || (step->args[0] & ~(u64)NAMESPACES) != 0) return -EINVAL;
  struct clone_args args = {.flags = step->args[0] | CLONE_PARENT | CLONE_PIDFD, .pidfd = (u64)&pidfd};
  long child = sys(clone3, &args, sizeof args);
  if (child > 0) {
    announce_heir(self, (i32)child, pidfd);
    end_process(0);
  }
  if (child == 0) become_inside(self, self->peer);
  return child;
}

long step_init(struct actor *self, const struct step *step) {
  (void)step;
  /* A filter that is in force cannot look into clone3's arguments, and answers it with ENOSYS. */
  long child = sys(clone, SIGCHLD, 0, 0, 0, 0);
  if (child > 0) run_init((i32)child);
  if (child == 0) lead_foreground();
  (void)self;
  return child;
}

/* How many entries a list has, each ended by a NUL byte. */
static u32 count_entries(struct bytes list) {
  u32 count = 0;
  for (size_t at = 0; at < list.size; at++) count += list.start[at] == 0;
  return count;
}

static void point_to_entries(char **pointers, struct bytes list) {
  for (size_t at = 0; at < list.size; at += strlen((char *)list.start + at) + 1) *pointers++ = (char *)list.start + at;
  *pointers = NULL;
}

/* Tries each directory of the search path, as execvp(3) does: no permission is told only where nothing else was found. */
static long search_and_execute(char **argv, char **envp, const char *search) {
  char path[PATH_SIZE];
  long error = -ENOENT;
  for (const char *rest = search;; rest++) {
    size_t size = find_byte((const u8 *)rest, strlen(rest), ':');
    struct text text = {path, 0, sizeof path, false};
    put_bytes(&text, rest, size);
    if (size > 0) put_text(&text, "/");
    put_text(&text, argv[0]);
    finish_text(&text);
    long result = text.full ? -ENAMETOOLONG : sys(execve, path, argv, envp);
    if (result == -EACCES) error = -EACCES;
    else if (result != -ENOENT && result != -ENOTDIR && result != -ENAMETOOLONG) return result;
    rest += size;
    if (*rest == 0) return error;
  }
}

/* What faccessat says as the process itself; a filter that knows neither call leaves it to exec. */
static long check_program(const char *path) {
  struct stat stat;
  long result = sys(newfstatat, AT_FDCWD, path, &stat, 0);
  if (result >= 0 && (stat.st_mode & S_IFMT) == S_IFDIR) return -EISDIR;
  if (result >= 0) result = sys(faccessat2, AT_FDCWD, path, 1 /* X_OK */, AT_EACCESS);
  return result == -EPERM || result == -ENOSYS ? 0 : result;
}

/* A directory of the search path may hold a file that is no program, and a later one the program. */
static long search_program(const char *name, const char *search) {
  char path[PATH_SIZE];
  long error = -ENOENT;
  for (const char *rest = search;; rest++) {
    size_t size = find_byte((const u8 *)rest, strlen(rest), ':');
    struct text text = {path, 0, sizeof path, false};
    put_bytes(&text, rest, size);
    if (size > 0) put_text(&text, "/");
    put_text(&text, name);
    finish_text(&text);
    long result = text.full ? -ENAMETOOLONG : check_program(path);
    if (result == 0) return 0;
    if (result == -EACCES) error = -EACCES;
    rest += size;
    if (*rest == 0) return error;
  }
}

long step_check_exec(struct actor *self, const struct step *step) {
  const char *name = text_argument(self, step->args[0]);
  bool direct = name[0] == 0 || find_byte((const u8 *)name, strlen(name), '/') < strlen(name);
  return direct ? check_program(name) : search_program(name, text_argument(self, step->args[1]));
}

static void restore_open_files_limit(const struct actor *self) {
  struct rlimit64 limit;
  if (self->nofile_before == 0 || sys(prlimit64, 0, RLIMIT_NOFILE, 0, &limit) < 0) return;
  if (limit.rlim_cur != limit.rlim_max) return; /* a step has set its own since */
  limit.rlim_cur = self->nofile_before;
  sys(prlimit64, 0, RLIMIT_NOFILE, &limit, 0);
}

long execute(const char *path, struct bytes arguments, struct bytes environment, const char *search) {
  u32 argc = count_entries(arguments), envc = count_entries(environment);
  size_t size = (argc + envc + 2) * sizeof(char *);
  char **argv = map_memory(size), **envp = argv + argc + 1;
  if (argv == NULL) return -ENOMEM;
  point_to_entries(argv, arguments);
  point_to_entries(envp, environment);
  bool named = path != NULL;
  if (!named) path = argv[0];
  bool direct = named || path[0] == 0 || find_byte((const u8 *)path, strlen(path), '/') < strlen(path);
  long result = direct ? sys(execve, path, argv, envp) : search_and_execute(argv, envp, search);
  unmap_memory(argv, size);
  return result;
}

long step_exec(struct actor *self, const struct step *step) {
  restore_open_files_limit(self);
  /* Whatever a step has left open without O_CLOEXEC stays outside of the container. */
  sys(close_range, 3 + self->preserved, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
  sys(prctl, PR_SET_PDEATHSIG, 0);
  return execute(NULL, bytes_argument(self, step->args[0]), bytes_argument(self, step->args[1]),
                 text_argument(self, step->args[2]));
}

long step_setrlimit(struct actor *self, const struct step *step) {
  (void)self;
  struct rlimit64 limit = {step->args[1], step->args[2]};
  return sys(prlimit64, 0, step->args[0], &limit, 0);
}

long step_open_pid(struct actor *self, const struct step *step) {
  (void)self;
  long fd = sys(pidfd_open, step->args[0], 0);
  if (fd < 0) return fd;
  if (process_start_time((i32)step->args[0]) == step->args[1]) return fd;
  close_fd((int)fd);
  return -ESRCH;
}
