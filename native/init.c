#include "init.h"

#include <linux/prctl.h>

static u64 bit(int number) {
  return 1ULL << (number - 1);
}

/* Reaps all that have ended; the status of the child itself is kept. */
static bool reap(i32 child, int *status) {
  bool ended = false;
  for (;;) {
    int one = 0;
    long pid = sys(wait4, -1, &one, WAIT_NOHANG, 0);
    if (pid <= 0) return ended;
    if (pid != child) continue;
    *status = one;
    ended = true;
  }
}

/* Standard streams stay, as programs that log to /proc/1/fd/1 expect; nothing else of the set-up does. */
static void keep_only_streams(void) {
  sys(close_range, 3, ~0U, 0);
  sys(prctl, PR_SET_DUMPABLE, 0);
  sys(prctl, PR_SET_PDEATHSIG, 0);
  sys(prctl, PR_SET_NAME, "galley-init");
}

_Noreturn void run_init(i32 child) {
  /* Faults of this process itself keep their action; everything else is taken from the queue below. */
  u64 mask = ~(bit(SIGSEGV) | bit(SIGBUS) | bit(SIGFPE) | bit(SIGILL) | bit(SIGTRAP) | bit(SIGABRT) | bit(SIGSYS));
  sys(rt_sigprocmask, SIG_SETMASK, &mask, 0, 8);
  keep_only_streams();
  for (int status = 0;;) {
    if (reap(child, &status)) end_process(exit_code(status));
    long number = sys(rt_sigtimedwait, &mask, 0, 0, 8);
    if (number > 0 && number != SIGCHLD) sys(kill, child, number);
  }
}

void lead_foreground(void) {
  int group = (int)sys(getpid, 0);
  const u64 ignore[4] = {1}, standard[4] = {0};
  sys(setpgid, 0, 0);
  /* A background group that takes the terminal would be stopped by SIGTTOU. */
  sys(rt_sigaction, SIGTTOU, ignore, 0, 8);
  sys(ioctl, 0, TIOCSPGRP, &group);
  sys(rt_sigaction, SIGTTOU, standard, 0, 8);
}
