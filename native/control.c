/* Signals, pauses, and the end of restarts, as clients ask for them. */
#include "shim.h"

#define KILL_NO_RESTART 1
#define KILL_ALL 2

void give_up_restart(struct shim *shim) {
  shim->no_restart = true;
  if (shim->state == STATE_RESTARTING) shim->restart_at = 0;
}

static long signal_init(struct shim *shim, u32 signal) {
  if (shim->ended) return -ESRCH;
  return sys(pidfd_send_signal, shim->actor->pidfd, signal, 0, 0);
}

/* A frozen process gets even SIGKILL only once it is thawed (cgroup v1). */
static void thaw_killed(struct shim *shim, u32 signal) {
  if (shim->state == STATE_PAUSED && signal == SIGKILL) resume_container(shim);
}

long kill_container(struct shim *shim, u32 signal, u32 flags) {
  if (shim->state == STATE_RESTARTING) {
    if (!(flags & KILL_NO_RESTART)) return -ESRCH;
    give_up_restart(shim);
    return 0;
  }
  if (flags & KILL_NO_RESTART) shim->no_restart = true;
  long result = signal_init(shim, signal);
  thaw_killed(shim, signal);
  if (flags & KILL_ALL) {
    long all = run_section(shim->actor, SECTION_KILL);
    if (result >= 0) result = all;
  }
  return result;
}

static long run_and_become(struct shim *shim, u32 section, enum state state) {
  if (section_size(&shim->actor->recipe, section) == 0) return -EOPNOTSUPP;
  long result = run_section(shim->actor, section);
  if (result < 0) return result;
  shim->state = state;
  write_status(shim);
  return 0;
}

long pause_container(struct shim *shim) {
  if (shim->ended || shim->state == STATE_RESTARTING) return -ESRCH;
  if (shim->state == STATE_PAUSED) return -EALREADY;
  return run_and_become(shim, SECTION_PAUSE, STATE_PAUSED);
}

long resume_container(struct shim *shim) {
  if (shim->state != STATE_PAUSED) return shim->ended ? -ESRCH : -EALREADY;
  return run_and_become(shim, SECTION_RESUME, STATE_RUNNING);
}
