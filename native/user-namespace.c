/* A user namespace for its maps alone: made by a child that does nothing else, and kept by its descriptor. */
#include "actor.h"
#include "process.h"

#include <linux/prctl.h>
#include <linux/sched.h>

static _Noreturn void wait_to_be_killed(void) {
  const u64 none = 0;
  sys(prctl, PR_SET_PDEATHSIG, SIGKILL);
  for (;;) sys(rt_sigsuspend, &none, 8);
}

static long write_map(i32 pid, const char *file, struct bytes lines) {
  char path[64];
  return write_file(AT_FDCWD, process_path(path, pid, file), lines.start, lines.size, O_WRONLY, 0);
}

long step_user_namespace(struct actor *self, const struct step *step) {
  char path[64];
  int status;
  long child = sys(clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) wait_to_be_killed();
  if (child < 0) return child;
  long result = write_map((i32)child, "uid_map", bytes_argument(self, step->args[0]));
  if (result >= 0) result = write_map((i32)child, "gid_map", bytes_argument(self, step->args[1]));
  if (result >= 0) result = sys(openat, AT_FDCWD, process_path(path, (i32)child, "ns/user"), O_RDONLY | O_CLOEXEC, 0);
  sys(kill, child, SIGKILL);
  while (sys(wait4, child, &status, 0, 0) == -EINTR) continue;
  return result;
}
