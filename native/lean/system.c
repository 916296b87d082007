/* What the TypeScript of the lean program calls: system calls and new processes. No policy. */
#define _GNU_SOURCE
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ARGS 6
#define MAX_STDIO 256

extern char **environ;

uint8_t *bytes_of(JSContext *js, JSValueConst value, size_t *size) {
  size_t offset, length, whole;
  JSValue buffer = JS_GetTypedArrayBuffer(js, value, &offset, &length, NULL);
  if (JS_IsException(buffer)) {
    JS_FreeValue(js, JS_GetException(js));
    return NULL;
  }
  uint8_t *start = JS_GetArrayBuffer(js, &whole, buffer);
  JS_FreeValue(js, buffer);
  *size = length;
  return start == NULL ? NULL : start + offset;
}

/* Strings are kept until the call has returned. */
static int argument(JSContext *js, JSValueConst value, long *word, const char **text) {
  *text = NULL;
  if (JS_IsNumber(value)) {
    int64_t number;
    if (JS_ToInt64(js, &number, value) < 0) return -1;
    *word = (long)number;
    return 0;
  }
  if (JS_IsString(value)) {
    *text = JS_ToCString(js, value);
    *word = (long)*text;
    return *text == NULL ? -1 : 0;
  }
  size_t size;
  *word = JS_IsNull(value) ? 0 : (long)bytes_of(js, value, &size);
  /* Anything else would be 0, which means much to kill(2). */
  if (*word == 0 && !JS_IsNull(value)) return JS_ThrowTypeError(js, "no argument of a system call"), -1;
  return 0;
}

/* call(NUMBER, ARGUMENT...): numbers, strings, typed arrays by their address, null. The result, or the error number below zero. */
static JSValue call(JSContext *js, JSValueConst this, int argc, JSValueConst *argv) {
  long word[MAX_ARGS + 1] = {0};
  const char *text[MAX_ARGS + 1] = {0};
  int bad = 0;
  (void)this;
  for (int i = 0; i < argc && i <= MAX_ARGS && !bad; i++) bad = argument(js, argv[i], &word[i], &text[i]);
  long result = bad ? -1 : syscall(word[0], word[1], word[2], word[3], word[4], word[5], word[6]);
  int error = errno;
  for (int i = 0; i <= MAX_ARGS; i++) {
    if (text[i] != NULL) JS_FreeCString(js, text[i]);
  }
  if (bad) return JS_EXCEPTION;
  return JS_NewInt64(js, result == -1 ? -error : result);
}

static void free_list(JSContext *js, char **list) {
  for (char **one = list; one != NULL && *one != NULL; one++) JS_FreeCString(js, *one);
  free(list);
}

static char **text_list(JSContext *js, JSValueConst array) {
  uint32_t count = 0;
  JSValue length = JS_GetPropertyStr(js, array, "length");
  if (JS_ToUint32(js, &count, length) < 0) return NULL;
  char **list = calloc(count + 1, sizeof *list);
  for (uint32_t i = 0; list != NULL && i < count; i++) {
    JSValue item = JS_GetPropertyUint32(js, array, i);
    list[i] = (char *)JS_ToCString(js, item);
    JS_FreeValue(js, item);
    if (list[i] == NULL) break;
  }
  return list;
}

/* In the child: descriptor i becomes a copy of fds[i]. First out of the way of one another, then in place. */
static int place(const int *fds, int count) {
  int high[MAX_STDIO];
  for (int i = 0; i < count; i++) {
    high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, count);
    if (high[i] < 0) return -1;
  }
  for (int i = 0; i < count; i++) {
    if (dup2(high[i], i) < 0) return -1;
  }
  return 0;
}

static long start_child(const char *program, char **args, char **env, const int *fds, int count) {
  volatile int error = 0;
  pid_t child = vfork();
  if (child == 0) {
    if (place(fds, count) == 0) execve(program, args, env);
    error = errno;
    _exit(127);
  }
  if (child < 0) return -errno;
  if (error == 0) return child;
  waitpid(child, NULL, 0);
  return -error;
}

/* spawn(PROGRAM, ARGS, FDS): descriptors 0 to FDS.length - 1, an empty environment. The child's pid, or the error number below zero. */
static JSValue spawn(JSContext *js, JSValueConst this, int argc, JSValueConst *argv) {
  int fds[MAX_STDIO];
  char *nothing[1] = {NULL};
  size_t size = 0;
  (void)this;
  if (argc < 3) return JS_ThrowTypeError(js, "spawn takes a program, arguments and descriptors");
  const char *program = JS_ToCString(js, argv[0]);
  char **args = text_list(js, argv[1]);
  uint8_t *given = bytes_of(js, argv[2], &size);
  long result = -EINVAL;
  if (program != NULL && args != NULL && given != NULL && size <= sizeof fds) {
    memcpy(fds, given, size);
    result = start_child(program, args, nothing, fds, (int)(size / sizeof *fds));
  }
  free_list(js, args);
  if (program != NULL) JS_FreeCString(js, program);
  return JS_NewInt64(js, result);
}

/* become(PROGRAM, ARGS, WITH_ENVIRONMENT): execve(2). The error number below zero, if it returns. */
static JSValue become(JSContext *js, JSValueConst this, int argc, JSValueConst *argv) {
  char *nothing[1] = {NULL};
  (void)this;
  if (argc < 3) return JS_ThrowTypeError(js, "become takes a program, arguments and whether it has the environment");
  const char *program = JS_ToCString(js, argv[0]);
  char **args = text_list(js, argv[1]);
  if (program == NULL || args == NULL) return JS_EXCEPTION;
  execve(program, args, JS_ToBool(js, argv[2]) ? environ : nothing);
  return JS_NewInt64(js, -errno);
}

static JSValue text_array(JSContext *js, char **list) {
  JSValue array = JS_NewArray(js);
  for (uint32_t i = 0; list[i] != NULL; i++) JS_SetPropertyUint32(js, array, i, JS_NewString(js, list[i]));
  return array;
}

/* For structures that hold pointers: the engine moves no buffer. */
static JSValue address(JSContext *js, JSValueConst this, int argc, JSValueConst *argv) {
  size_t size;
  (void)this;
  return JS_NewInt64(js, argc > 0 ? (int64_t)bytes_of(js, argv[0], &size) : 0);
}

/* A sealed file in memory with the native program, which runs from there: nobody can write to it, and it is nobody's file. */
static JSValue native_program(JSContext *js, JSValueConst this, int argc, JSValueConst *argv) {
  extern const uint8_t native_start[], native_end[];
  const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  size_t size = (size_t)(native_end - native_start);
  (void)this, (void)argc, (void)argv;
  int fd = memfd_create("galley-native", MFD_CLOEXEC | MFD_ALLOW_SEALING | 0x10U /* MFD_EXEC */);
  /* Before Linux 6.3 there is no MFD_EXEC, and every memory file is executable. */
  if (fd < 0 && errno == EINVAL) fd = memfd_create("galley-native", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return JS_NewInt32(js, -errno);
  if (write(fd, native_start, size) != (ssize_t)size || fcntl(fd, F_ADD_SEALS, seals) < 0) return JS_NewInt32(js, -EIO);
  return JS_NewInt32(js, fd);
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("call", 7, call),
    JS_CFUNC_DEF("spawn", 3, spawn),
    JS_CFUNC_DEF("become", 3, become),
    JS_CFUNC_DEF("address", 1, address),
    JS_CFUNC_DEF("nativeProgram", 0, native_program),
};

void add_system(JSContext *js) {
  JSValue global = JS_GetGlobalObject(js);
  JSValue system = JS_NewObject(js);
  JS_SetPropertyFunctionList(js, system, functions, sizeof functions / sizeof *functions);
  add_text_functions(js, system);
  JS_SetPropertyStr(js, global, "system", system);
  JS_FreeValue(js, global);
}

void set_arguments(JSContext *js, char **argv) {
  JSValue global = JS_GetGlobalObject(js);
  JSValue system = JS_GetPropertyStr(js, global, "system");
  JS_SetPropertyStr(js, system, "argv", text_array(js, argv));
  JS_SetPropertyStr(js, system, "environ", text_array(js, environ));
  JS_FreeValue(js, system);
  JS_FreeValue(js, global);
}
