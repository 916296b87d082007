/* galley-native run [--keep N] [--pass FD] [--no-exec-wait | --await-end] RECIPE [REPORT_FD] | check RECIPE
   galley-native foreground [--recipe FD] [--console FD] [--no-subreaper] PID */
#include "foreground.h"
#include "sealed.h"
#include "shim.h"
#include "start.h"

#include <linux/prctl.h>

struct options {
  const char *command;
  const char *recipe;
  int report_fd;
  u32 preserved;
  int passed;
  bool await_exec;
  bool await_end;
};

static struct actor actor;

static _Noreturn void refuse(const char *what, const char *why, int status) {
  char line[256];
  struct text text = {line, 0, sizeof line, false};
  put_text(&text, "galley-native: ");
  put_text(&text, what);
  put_text(&text, ": ");
  put_text(&text, why);
  put_text(&text, "\n");
  write_fully(2, line, text.size);
  end_process(status);
}

static struct options parse_options(char **argv) {
  struct options options = {.report_fd = 1, .passed = -1, .await_exec = true};
  if (argv[0] == NULL || argv[1] == NULL) refuse("usage", "galley-native run RECIPE [REPORT_FD]", 2);
  options.command = argv[1];
  for (argv += 2; *argv != NULL && (*argv)[0] == '-' && (*argv)[1] == '-'; argv++) {
    if (same_text(*argv, "--no-exec-wait")) options.await_exec = false;
    else if (same_text(*argv, "--await-end")) options.await_end = true;
    else if (same_text(*argv, "--keep") && argv[1] != NULL) options.preserved = (u32)parse_number(*++argv);
    else if (same_text(*argv, "--pass") && argv[1] != NULL) options.passed = (int)parse_number(*++argv);
    else refuse(*argv, "unknown option", 2);
  }
  options.recipe = *argv;
  if (options.recipe != NULL && argv[1] != NULL) options.report_fd = (int)parse_number(argv[1]);
  return options;
}

/* A result as small as 0, 1 or 2 would be taken for no descriptor, and a step's file for standard output. */
static void open_standard_streams(void) {
  for (int fd = 0; fd < 3; fd++) {
    if (sys(fcntl, fd, F_GETFD, 0) < 0) sys(openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
  }
}

/* Where there is a report to write, the refusal is in it too. */
static void load_recipe(const char *path, struct recipe *recipe, int report_fd) {
  int status = report_fd >= 0 ? 2 : 1;
  const char *reason = NULL;
  if (path == NULL) refuse("usage", "no recipe is named", 2);
  long fd = same_text(path, "-") ? 0 : sys(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) refuse(path, "cannot be opened", status);
  long result = read_recipe((int)fd, recipe, &reason);
  if (fd != 0) close_fd((int)fd);
  if (result == 0) return;
  if (report_fd >= 0) write_refusal(report_fd, (i32)-result);
  refuse(path, reason == NULL ? "no memory" : reason, status);
}

static void close_others(const struct options *options, const struct header *header) {
  int keep[] = {options->report_fd, options->passed, header->mode == MODE_SHIM ? (int)header->shim.attach_fd : -1};
  close_all_but(3 + options->preserved, keep, 3);
  for (u32 i = 0; i < 3; i++) {
    if (keep[i] > 2) sys(fcntl, keep[i], F_SETFD, FD_CLOEXEC);
  }
}

static void become_private(void) {
  const u64 ignore[4] = {1};
  sys(prctl, PR_SET_DUMPABLE, 0);
  /* A parent that ignores SIGCHLD would leave no child to wait for. */
  reset_signals();
  sys(rt_sigaction, SIGPIPE, ignore, 0, 8);
  sys(prctl, PR_SET_NAME, "galley-native");
}

static _Noreturn void end_as_inside(void) {
  int status = 0;
  while (sys(wait4, actor.pid, &status, 0, 0) == -EINTR) continue;
  end_process(exit_code(status));
}

static _Noreturn void execute_recipe(const struct options *options) {
  load_recipe(options->recipe, &actor.recipe, options->report_fd);
  close_others(options, actor.recipe.header);
  prepare_actor(&actor);
  actor.preserved = options->preserved;
  actor.passed = options->passed;
  actor.keeps_parentless = !options->await_exec;
  if (actor.recipe.header->mode == MODE_SHIM) run_shim(&actor, options->report_fd);
  if (share_pages(&actor) < 0) refuse(options->recipe, "no memory", 2);
  long outside = run_outside(&actor);
  struct failure failure = finish_start(&actor, outside, options->await_exec);
  write_report(&actor, options->report_fd, failure);
  if (failure.error == 0 && options->await_end) end_as_inside();
  end_process(failure.error == 0 ? 0 : 1);
}

_Noreturn void program(long *stack) {
  char **argv = (char **)(stack + 1);
  if (argv[0] != NULL && argv[1] != NULL && same_text(argv[1], "foreground")) stay_foreground(argv + 2);
  struct options options = parse_options(argv);
  open_standard_streams();
  if (same_text(options.command, "check")) {
    load_recipe(options.recipe, &actor.recipe, -1);
    end_process(0);
  }
  if (!same_text(options.command, "run")) refuse(options.command, "unknown command", 2);
  run_from_sealed_memory(argv, argv + *stack + 1);
  become_private();
  execute_recipe(&options);
}

/* The kernel enters with the stack at argc; calls want it aligned, and a parameter in a register. */
#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call program\n");
#else
__asm__(".globl _start\n_start:\n  mov x29, #0\n  mov x30, #0\n  mov x0, sp\n  and sp, x0, #-16\n  b program\n");
#endif
