/*
 * The lean program: the OCI runtime's TypeScript on a small engine. It is built in two steps. The program as it is linked loads the
 * script that --snapshot names and appends its memory to the program beside it; that one begins where the first one ended. The order of
 * that memory comes from a program that is built to trace what it touches (trace.h).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "system.h"
#include "trace.h"

#define STACK (4UL << 20)

/* What an uncaught failure says; the exit status is the one of a failed command. */
static int report(JSContext *js) {
  JSValue failure = JS_GetException(js);
  const char *text = JS_ToCString(js, failure);
  JSValue stack = JS_GetPropertyStr(js, failure, "stack");
  const char *where = JS_ToCString(js, stack);
  fprintf(stderr, "galley-runtime: %s\n%s", text == NULL ? "unknown failure" : text, where == NULL ? "" : where);
  return 1;
}

static int complain(const char *what) {
  fprintf(stderr, "galley-runtime: %s\n", what);
  return 1;
}

static const char *hint_for(int why) {
  if (why == ENOENT) return "mount /proc";
  if (why == ENOMEM) return "raise the limit of its address space: ulimit -v";
  if (why == EEXIST) return "something else is mapped there: start it without what preloads or traces it";
  return "the program galley, called as galley-runtime, does the same without this memory";
}

/* Without its memory there is no engine: what is missing is the machine's or the copy's fault. */
static int complain_of_arena(const char *step) {
  int why = errno;
  fprintf(stderr, "galley-runtime: cannot %s", step);
  if (step == no_arena) fputs(": it is cut short (build or install it again)\n", stderr);
  else fprintf(stderr, ": %s (%s)\n", strerror(why), hint_for(why));
  return 1;
}

static JSContext *new_context(JSRuntime *runtime) {
  JSContext *js = JS_NewContextRaw(runtime);
  if (js == NULL) return NULL;
  JS_AddIntrinsicBaseObjects(js);
  JS_AddIntrinsicDate(js);
  JS_AddIntrinsicEval(js);
  JS_AddIntrinsicStringNormalize(js);
  JS_AddIntrinsicRegExpCompiler(js);
  JS_AddIntrinsicRegExp(js);
  JS_AddIntrinsicJSON(js);
  JS_AddIntrinsicProxy(js);
  JS_AddIntrinsicMapSet(js);
  JS_AddIntrinsicTypedArrays(js);
  JS_AddIntrinsicPromise(js);
  JS_AddIntrinsicBigInt(js);
  return js;
}

static int run_jobs(JSRuntime *runtime) {
  JSContext *job;
  int left;
  while ((left = JS_ExecutePendingJob(runtime, &job)) > 0) continue;
  return left < 0 ? report(job) : 0;
}

static int exit_status(JSContext *js) {
  int32_t status = 1;
  JSValue value = JS_GetPropertyStr(js, JS_GetGlobalObject(js), "exitStatus");
  return JS_ToInt32(js, &status, value) < 0 ? 1 : status;
}

/* Calls the script's function main. */
static int run_main(char **argv) {
  JSContext *js = arena->js;
  JS_UpdateStackTop(arena->runtime);
  set_arguments(js, argv);
  JSValue global = JS_GetGlobalObject(js);
  JSValue result = JS_Call(js, JS_GetPropertyStr(js, global, "main"), JS_UNDEFINED, 0, NULL);
  if (JS_IsException(result)) return report(js);
  int failed = run_jobs(arena->runtime);
  return failed ? failed : exit_status(js);
}

/* Ends with a zero; NULL where it cannot be read. */
static char *read_whole(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) return NULL;
  *size = (size_t)ftell(file);
  rewind(file);
  char *text = calloc(1, *size + 1);
  if (text == NULL || fread(text, 1, *size, file) != *size) return NULL;
  fclose(file);
  return text;
}

static bool start_engine(const struct order *order) {
  if (!open_arena(order)) return false;
  arena->runtime = JS_NewRuntime2(&arena_functions, NULL);
  arena->js = arena->runtime == NULL ? NULL : new_context(arena->runtime);
  if (arena->js == NULL) return false;
  /* A command ends before a collection would pay. */
  JS_SetGCThreshold(arena->runtime, (size_t)-1);
  JS_SetMaxStackSize(arena->runtime, STACK);
  add_system(arena->js);
  return true;
}

/* Bytecode, without the text that it was made of; compiled by an engine whose memory is not kept. */
static uint8_t *compile(const char *script, size_t *size) {
  size_t length;
  char *text = read_whole(script, &length);
  JSContext *js = JS_NewContext(JS_NewRuntime());
  if (text == NULL) return perror(script), NULL;
  JSValue code = JS_Eval(js, text, length, "galley-runtime.js", JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
  if (JS_IsException(code)) return report(js), NULL;
  return JS_WriteObject(js, size, code, JS_WRITE_OBJ_BYTECODE);
}

static int make_snapshot(const char *script, const char *program, const char *order) {
  size_t size, order_size;
  char *given = order == NULL ? NULL : read_whole(order, &order_size);
  if (order != NULL && given == NULL) return perror(order), 1;
  uint8_t *bytecode = compile(script, &size);
  if (bytecode == NULL) return 1;
  if (!start_engine((const struct order *)given)) return complain("no memory");
  JSContext *js = arena->js;
  JSValue module = JS_ReadObject(js, bytecode, size, JS_READ_OBJ_BYTECODE);
  if (JS_IsException(module) || JS_ResolveModule(js, module) < 0) return report(js);
  if (JS_IsException(JS_EvalFunction(js, module))) return report(js);
  if (run_jobs(arena->runtime) != 0 || exit_status(js) != 0) return complain("the script does not load");
  JS_RunGC(arena->runtime);
  int fd = open(program, O_WRONLY | O_CLOEXEC);
  return fd >= 0 && write_arena(fd) ? 0 : (perror(program), 1);
}

int main(int argc, char **argv) {
  int status;
  const char *failed = map_arena("/proc/self/exe");
  bool loaded = failed == NULL;
  if (loaded && TRACED && argc == 4 && strcmp(argv[1], "--order") == 0) status = write_order(argv[2], argv[3]);
  else if (loaded) status = run_main(argv);
  else if ((argc == 4 || argc == 5) && strcmp(argv[1], "--snapshot") == 0) status = make_snapshot(argv[2], argv[3], argv[4]);
  else status = complain_of_arena(failed);
  /* Nothing is torn down: the kernel is faster. */
  _exit(status);
}
