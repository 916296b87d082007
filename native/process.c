#include "process.h"

const char *process_path(char path[64], i32 pid, const char *rest) {
  struct text text = {path, 0, 64, false};
  put_text(&text, "/proc/");
  if (pid == 0) put_text(&text, "self");
  else put_number(&text, (u64)pid);
  put_text(&text, "/");
  put_text(&text, rest);
  return finish_text(&text);
}

/* The command's name, field 2, is in parentheses and may hold any byte: the fields are counted from its end. */
static u64 field_22(const char *stat, long size) {
  while (size > 0 && stat[size - 1] != ')') size--;
  const char *at = stat + size;
  for (u32 field = 2; *at != 0; at++) {
    if (*at == ' ' && ++field == 22) return parse_number(at + 1);
  }
  return 0;
}

u64 process_start_time(i32 pid) {
  char path[64], stat[1024];
  long size = read_file(AT_FDCWD, process_path(path, pid, "stat"), stat, sizeof stat);
  return size <= 0 ? 0 : field_22(stat, size);
}
