#include "sealed.h"

#include <linux/memfd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static long new_memory_file(void) {
  long fd = sys(memfd_create, "galley-native", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  /* Before Linux 6.3 there is no MFD_EXEC, and every memory file is executable. */
  return fd == -EINVAL ? sys(memfd_create, "galley-native", MFD_CLOEXEC | MFD_ALLOW_SEALING) : fd;
}

static long copy_whole_file(int from, int to) {
  long size;
  do size = sys(sendfile, to, from, 0, 1 << 20);
  while (size > 0 || size == -EINTR);
  return size;
}

static long execute_copy(int program, char **argv, char **envp) {
  long copy = new_memory_file();
  if (copy < 0) return copy;
  long result = copy_whole_file(program, (int)copy);
  if (result >= 0) result = sys(fcntl, copy, F_ADD_SEALS, SEALS);
  if (result >= 0) result = sys(execveat, copy, "", argv, envp, AT_EMPTY_PATH);
  return result;
}

void run_from_sealed_memory(char **argv, char **envp) {
  const char complaint[] = "galley-native: cannot run from a sealed copy of itself (is /proc mounted?)\n";
  long program = sys(openat, AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC, 0);
  long seals = program < 0 ? 0 : sys(fcntl, program, F_GET_SEALS, 0);
  if (seals > 0 && (seals & SEALS) == SEALS) {
    close_fd((int)program);
    return;
  }
  if (program >= 0) execute_copy((int)program, argv, envp);
  write_fully(2, complaint, sizeof complaint - 1);
  end_process(2);
}

void close_all_but(u32 first, const int *keep, u32 count) {
  for (;;) {
    u32 next = ~0U;
    for (u32 i = 0; i < count; i++) {
      if (keep[i] >= 0 && (u32)keep[i] >= first && (u32)keep[i] < next) next = (u32)keep[i];
    }
    if (next > first) sys(close_range, first, next == ~0U ? ~0U : next - 1, 0);
    if (next == ~0U) return;
    first = next + 1;
  }
}
