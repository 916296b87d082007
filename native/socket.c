#include "socket.h"

#include "actor.h"

#include <linux/in6.h>
#include <linux/resource.h>

#define BACKLOG 1024

/* An address holds 107 bytes of path: a longer one is reached through its directory, which `dir` keeps open. */
static long unix_address(const char *path, struct sockaddr_un *address, int *dir) {
  struct text name = {address->sun_path, 0, sizeof address->sun_path, false};
  size_t size = strlen(path), base = size;
  address->sun_family = AF_UNIX_;
  *dir = -1;
  if (size < sizeof address->sun_path) {
    put_text(&name, path);
    finish_text(&name);
    return 0;
  }
  while (base > 0 && path[base - 1] != '/') base--;
  char parent[PATH_SIZE];
  struct text folder = {parent, 0, sizeof parent, false};
  put_bytes(&folder, path, base);
  long fd = sys(openat, AT_FDCWD, finish_text(&folder), O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  *dir = (int)fd;
  put_text(&name, "/proc/self/fd/");
  put_number(&name, (u64)fd);
  put_text(&name, "/");
  put_text(&name, path + base);
  finish_text(&name);
  return name.full ? -ENAMETOOLONG : 0;
}

static long bind_and_listen(int fd, struct sockaddr_un *address) {
  sys(unlinkat, AT_FDCWD, address->sun_path, 0);
  long mask = sys(umask, 0177);
  long result = sys(bind, fd, address, sizeof *address);
  sys(umask, mask);
  return result < 0 ? result : sys(listen, fd, BACKLOG);
}

static long open_unix(const char *path, bool listening) {
  struct sockaddr_un address;
  int dir;
  long result = unix_address(path, &address, &dir);
  long flags = SOCK_CLOEXEC_ | (listening ? O_NONBLOCK : 0);
  long fd = result < 0 ? result : sys(socket, AF_UNIX_, SOCK_STREAM_ | flags, 0);
  if (fd >= 0) result = listening ? bind_and_listen((int)fd, &address) : sys(connect, fd, &address, sizeof address);
  close_fd(dir);
  if (fd < 0 || result >= 0) return fd;
  close_fd((int)fd);
  return result;
}

long listen_unix(const char *path) {
  return open_unix(path, true);
}

long connect_unix(const char *path) {
  return open_unix(path, false);
}

long send_descriptor(int socket, int fd, const char *words) {
  struct rights rights = {RIGHTS_SIZE, SOL_SOCKET, SCM_RIGHTS_, fd};
  struct io_slice slice = {words, strlen(words)};
  struct message message = {.slices = &slice, .slice_count = 1, .control = &rights, .control_size = sizeof rights};
  long size = sys(sendmsg, socket, &message, MSG_NOSIGNAL_);
  return size < 0 ? size : 0;
}

/* Each port of a large range is a descriptor: the soft limit is raised when it is met, and lowered again for the container. */
static bool raise_open_files_limit(struct actor *self) {
  struct rlimit64 limit;
  if (self->nofile_before != 0 || sys(prlimit64, 0, RLIMIT_NOFILE, 0, &limit) < 0) return false;
  if (limit.rlim_cur >= limit.rlim_max) return false;
  self->nofile_before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return sys(prlimit64, 0, RLIMIT_NOFILE, &limit, 0) >= 0;
}

long step_reserve_port(struct actor *self, const struct step *step) {
  struct bytes address = bytes_argument(self, step->args[1]);
  u16 family = 0;
  int one = 1;
  if (address.size < sizeof family) return -EINVAL;
  memcpy(&family, address.start, sizeof family);
  long fd = sys(socket, family, step->args[0] | SOCK_CLOEXEC_, 0);
  if (fd == -EMFILE && raise_open_files_limit(self)) fd = sys(socket, family, step->args[0] | SOCK_CLOEXEC_, 0);
  if (fd < 0) return fd;
  /* Without this an address of all interfaces would also take the IPv4 port. */
  if (family == AF_INET6_) sys(setsockopt, fd, 41 /* IPPROTO_IPV6 */, IPV6_V6ONLY, &one, sizeof one);
  long result = sys(bind, fd, address.start, address.size);
  if (result >= 0 && (step->args[0] & 0xf) != SOCK_DGRAM_) result = sys(listen, fd, 1);
  if (result >= 0) return fd;
  close_fd((int)fd);
  return result;
}
