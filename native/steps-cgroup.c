/* Steps about cgroups, version 1 and 2. */
#include "actor.h"

#include <linux/bpf.h>

#define KILL_TIMEOUT_MS 10000

static long open_directory(int dir, const char *path) {
  return sys(openat, dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
}

/* Copies the name of the first child directory that comes after `skip` others; false where there is none. */
static bool child_directory(int dir, u32 skip, char name[256]) {
  u8 entries[2048];
  long size;
  sys(lseek, dir, 0, 0);
  while ((size = sys(getdents64, dir, entries, sizeof entries)) > 0) {
    for (long at = 0; at < size;) {
      const struct directory_entry *entry = (const void *)(entries + at);
      at += entry->size;
      if (entry->type != TYPE_DIRECTORY || entry->name[0] == '.' || skip-- > 0) continue;
      memcpy(name, entry->name, strlen(entry->name) + 1);
      return true;
    }
  }
  return false;
}

/* Removes the deepest cgroup on the way along first children; 1: it was `path` itself. */
static long remove_deepest(const char *path) {
  char name[256];
  int parent = -1;
  long dir = open_directory(AT_FDCWD, path), result;
  if (dir < 0) return dir;
  while (child_directory((int)dir, 0, name)) {
    close_fd(parent);
    parent = (int)dir;
    dir = open_directory(parent, name);
    if (dir < 0) break;
  }
  if (parent < 0) result = sys(unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
  else result = sys(unlinkat, parent, name, AT_REMOVEDIR);
  if (dir >= 0) close_fd((int)dir);
  if (parent < 0) return result < 0 ? result : 1;
  close_fd(parent);
  return result == -ENOENT ? 0 : result;
}

long step_remove_cgroup(struct actor *self, const struct step *step) {
  const char *path = text_argument(self, step->args[0]);
  u64 end = monotonic_ns() + step->args[1] * 1000000;
  /* The common case: nothing below it, and its last process is gone. With children it is as busy as with processes. */
  long result = sys(unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
  if (result != -EBUSY && result != -ENOTEMPTY) return result == -ENOENT ? 0 : result;
  while ((result = remove_deepest(path)) != 1) {
    if (result == 0) continue;
    if (result != -EBUSY || monotonic_ns() >= end) return result == -ENOENT ? 0 : result;
    sleep_ms(1);
  }
  return 0;
}

/* Sends a signal to each process listed in the buffer; how many there were. */
static u32 signal_listed(char *list, long signal, i32 self) {
  u32 count = 0;
  for (char *at = list; *at != 0; at++) {
    i32 pid = (i32)parse_number(at);
    at += find_byte((u8 *)at, strlen(at), '\n');
    if (pid > 0 && pid != self) {
      count++;
      sys(kill, pid, signal);
    }
    if (*at == 0) break;
  }
  return count;
}

/* A list longer than the buffer is not lost: what a killing pass leaves over, the next one finds. Others read on. */
static long signal_cgroup(int dir, long signal) {
  char list[4096];
  i32 self = (i32)sys(getpid, 0);
  u32 count = 0;
  size_t kept = 0;
  long fd = sys(openat, dir, "cgroup.procs", O_RDONLY | O_CLOEXEC, 0), size;
  if (fd < 0) return fd;
  while ((size = sys(read, fd, list + kept, sizeof list - 1 - kept)) > 0) {
    size_t all = kept + (size_t)size, whole = all;
    while (whole > 0 && list[whole - 1] != '\n') whole--;
    char first_of_rest = list[whole];
    list[whole] = 0;
    count += signal_listed(list, signal, self);
    list[whole] = first_of_rest;
    kept = all - whole;
    memmove(list, list + whole, kept);
  }
  close_fd((int)fd);
  return size < 0 ? size : (long)count;
}

/* All cgroups below `dir`, depth first; as deep as the kernel lets them nest is a matter of configuration, so it is bounded. */
static long signal_tree(int dir, long signal, u32 depth) {
  char name[256];
  long total = signal_cgroup(dir, signal);
  for (u32 i = 0; depth > 0 && total >= 0 && child_directory(dir, i, name); i++) {
    long child = open_directory(dir, name);
    if (child < 0) continue;
    long below = signal_tree((int)child, signal, depth - 1);
    close_fd((int)child);
    if (below > 0) total += below;
  }
  return total;
}

static long kill_until_empty(int dir) {
  u64 end = monotonic_ns() + KILL_TIMEOUT_MS * 1000000ULL;
  bool at_once = write_file(dir, "cgroup.kill", "1", 1, O_WRONLY, 0) == 0;
  for (;;) {
    long left = signal_tree(dir, at_once ? 0 : SIGKILL, 32);
    if (left <= 0) return left;
    if (monotonic_ns() >= end) return -ETIMEDOUT;
    sleep_ms(1);
  }
}

long step_kill_cgroup(struct actor *self, const struct step *step) {
  long dir = open_directory(AT_FDCWD, text_argument(self, step->args[0]));
  if (dir < 0) return dir == -ENOENT ? 0 : dir;
  long result = step->args[1] == SIGKILL ? kill_until_empty((int)dir) : signal_tree((int)dir, (long)step->args[1], 32);
  close_fd((int)dir);
  return result < 0 && result != -ENOENT && result != -ENODEV ? result : 0;
}

/* By which a program is known as ours: systemd has one of its own in the cgroups of its units. */
static const char filter_name[] = "galley_devices";

static long load_filter(struct bytes program) {
  union bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  memcpy(attr.prog_name, filter_name, sizeof filter_name);
  attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attr.insns = (u64)program.start;
  attr.insn_cnt = (u32)(program.size / sizeof(struct bpf_insn));
  attr.license = (u64) "GPL";
  return sys(bpf, BPF_PROG_LOAD, &attr, sizeof attr);
}

/* In the place of another program, in one step, where there is one. */
static long attach_filter(int cgroup, int filter, int replaced) {
  union bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.target_fd = (u32)cgroup;
  attr.attach_bpf_fd = (u32)filter;
  attr.attach_type = BPF_CGROUP_DEVICE;
  attr.attach_flags = BPF_F_ALLOW_MULTI | (replaced < 0 ? 0 : BPF_F_REPLACE);
  if (replaced >= 0) attr.replace_bpf_fd = (u32)replaced;
  return sys(bpf, BPF_PROG_ATTACH, &attr, sizeof attr);
}

static bool is_ours(int filter) {
  struct bpf_prog_info info;
  union bpf_attr attr;
  memset(&info, 0, sizeof info);
  memset(&attr, 0, sizeof attr);
  attr.info.bpf_fd = (u32)filter;
  attr.info.info_len = sizeof info;
  attr.info.info = (u64)&info;
  return sys(bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof attr) >= 0 && !memcmp(info.name, filter_name, sizeof filter_name);
}

/* The program of ours that a cgroup has, -ENOENT where it has none. */
static long find_filter(int cgroup) {
  u32 ids[64];
  union bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.query.target_fd = (u32)cgroup;
  attr.query.attach_type = BPF_CGROUP_DEVICE;
  attr.query.prog_ids = (u64)ids;
  attr.query.prog_cnt = sizeof ids / sizeof ids[0];
  long result = sys(bpf, BPF_PROG_QUERY, &attr, sizeof attr);
  if (result < 0) return result;
  u32 count = attr.query.prog_cnt;
  for (u32 at = 0; at < count; at++) {
    memset(&attr, 0, sizeof attr);
    attr.prog_id = ids[at];
    long filter = sys(bpf, BPF_PROG_GET_FD_BY_ID, &attr, sizeof attr);
    if (filter >= 0 && is_ours((int)filter)) return filter;
    if (filter >= 0) close_fd((int)filter);
  }
  return -ENOENT;
}

long step_attach_device_filter(struct actor *self, const struct step *step) {
  long filter = load_filter(bytes_argument(self, step->args[1]));
  if (filter < 0) return filter;
  long result = attach_filter(fd_argument(self, step->args[0]), (int)filter, -1);
  close_fd((int)filter);
  return result;
}

long step_replace_device_filter(struct actor *self, const struct step *step) {
  int cgroup = fd_argument(self, step->args[0]);
  long old = find_filter(cgroup);
  if (old < 0 && old != -ENOENT) return old;
  long filter = load_filter(bytes_argument(self, step->args[1]));
  long result = filter < 0 ? filter : attach_filter(cgroup, (int)filter, (int)old);
  if (filter >= 0) close_fd((int)filter);
  if (old >= 0) close_fd((int)old);
  return result;
}

/* "EVENTFD CONTROLFD" */
static long register_event(int dir, int event, int control) {
  char line[48];
  struct text text = {line, 0, sizeof line, false};
  put_number(&text, (u64)event);
  put_text(&text, " ");
  put_number(&text, (u64)control);
  return write_file(dir, "cgroup.event_control", line, text.size, O_WRONLY, 0);
}

long step_watch_oom(struct actor *self, const struct step *step) {
  long dir = open_directory(AT_FDCWD, text_argument(self, step->args[0]));
  if (dir < 0) return dir;
  long event = sys(eventfd2, 0, O_CLOEXEC | O_NONBLOCK), result = event;
  long control = sys(openat, dir, "memory.oom_control", O_RDONLY | O_CLOEXEC, 0);
  if (result >= 0) result = control < 0 ? control : register_event((int)dir, (int)event, (int)control);
  if (control >= 0) close_fd((int)control);
  close_fd((int)dir);
  if (result >= 0) return event;
  if (event >= 0) close_fd((int)event);
  return result;
}
