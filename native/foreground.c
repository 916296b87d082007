#include "foreground.h"

#include "actor.h"
#include "relay.h"
#include "sealed.h"

#include <linux/prctl.h>

struct signal_info {
  u32 number;
  u8 rest[124];
};

struct foreground {
  i32 pid;
  int signals;
  bool ended;
  int status;
};

static struct actor actor;
static struct relay relay = {.master = -1, .terminal = -1};

static _Noreturn void refuse(const char *why) {
  write_fully(2, why, strlen(why));
  end_process(2);
}

static int clean_up_recipe(int fd) {
  const char *reason = NULL;
  if (read_recipe(fd, &actor.recipe, &reason) < 0) refuse("galley-native: the recipe for the end cannot be read\n");
  return fd;
}

/* Blocked signals are taken from the descriptor in their turn; those of faults of this program itself keep their action. */
static int take_signals(void) {
  u64 all = ~((1ULL << (SIGSEGV - 1)) | (1ULL << (SIGBUS - 1)) | (1ULL << (SIGFPE - 1)) | (1ULL << (SIGILL - 1)));
  reset_signals();
  sys(rt_sigprocmask, SIG_SETMASK, &all, 0, 8);
  return (int)sys(signalfd4, -1, &all, 8, O_CLOEXEC | O_NONBLOCK);
}

/* What else becomes a child of this process, as the adopted ones of a container without a pid namespace, is reaped too. */
static void reap(struct foreground *self) {
  for (;;) {
    int status = 0;
    long pid = sys(wait4, -1, &status, WAIT_NOHANG, 0);
    if (pid == -ECHILD && !self->ended) refuse("galley-native: the process is no child of the runtime\n");
    if (pid <= 0) return;
    if (pid != self->pid) continue;
    self->ended = true;
    self->status = status;
  }
}

static void handle_signals(struct foreground *self) {
  struct signal_info info;
  while (sys(read, self->signals, &info, sizeof info) == sizeof info) {
    if (info.number == SIGCHLD) continue;
    if (info.number == SIGWINCH) copy_window_size(&relay);
    else sys(kill, self->pid, info.number); /* it has not been reaped: the number is still its own */
  }
  reap(self);
}

static void wait_for_end(struct foreground *self) {
  reap(self);
  while (!self->ended) {
    struct pollfd files[] = {
        {self->signals, POLLIN, 0}, {0, input_events(&relay), 0}, {relay.master, master_events(&relay), 0}};
    if (files[1].events == 0) files[1].fd = -1;
    sys(ppoll, files, 3, 0, 0, 8);
    if (files[1].revents != 0) relay_input(&relay);
    if (files[2].revents != 0) relay_master(&relay, files[2].revents);
    if (files[0].revents != 0) handle_signals(self);
  }
}

/* With this program's environment and standard streams; as a command after another one, it changes nothing of that one's status. */
static void run_afterwards(char **argv) {
  static const char why[] = "galley-native: the container cannot be deleted: its runtime does not start\n";
  char **envp = argv;
  while (*envp != NULL) envp++;
  long child = sys(clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    reset_signals();
    sys(execve, argv[0], argv, envp + 1);
    refuse(why);
  }
  while (child > 0 && sys(wait4, child, 0, 0, 0) == -EINTR) continue;
}

_Noreturn void stay_foreground(char **argv) {
  struct foreground self = {.pid = 0};
  int recipe = -1, console = -1;
  bool subreaper = true;
  for (; *argv != NULL && (*argv)[0] == '-'; argv++) {
    if (same_text(*argv, "--no-subreaper")) subreaper = false;
    else if (same_text(*argv, "--recipe") && argv[1] != NULL) recipe = (int)parse_number(*++argv);
    else if (same_text(*argv, "--console") && argv[1] != NULL) console = (int)parse_number(*++argv);
    else refuse("galley-native: unknown option\n");
  }
  if (*argv == NULL) refuse("galley-native: no process is named\n");
  self.pid = (i32)parse_number(*argv);
  self.signals = take_signals();
  prepare_actor(&actor);
  sys(prctl, PR_SET_NAME, "galley-native");
  int keep[] = {self.signals, recipe, console};
  close_all_but(3, keep, 3);
  if (!subreaper) sys(prctl, PR_SET_CHILD_SUBREAPER, 0);
  if (recipe >= 0) close_fd(clean_up_recipe(recipe));
  if (console >= 0 && open_relay(&relay, console) < 0) refuse("galley-native: no terminal has arrived\n");
  wait_for_end(&self);
  close_relay(&relay);
  if (recipe >= 0) {
    run_section(&actor, SECTION_CLEANUP);
    run_section(&actor, SECTION_REMOVE);
  }
  if (argv[1] != NULL) run_afterwards(argv + 1);
  end_process(exit_code(self.status));
}
