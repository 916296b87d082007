#include "socket.h"

#include "actor.h"

#include <linux/in6.h>
#include <linux/resource.h>

#define BACKLOG 1024

/* An address holds 107 bytes of path: a longer one is reached through a descriptor. */
static long address_below(struct sockaddr_un *address, int fd, const char *name) {
  struct text text = {address->sun_path, 0, sizeof address->sun_path, false};
  address->sun_family = AF_UNIX_;
  put_text(&text, "/proc/self/fd/");
  put_number(&text, (u64)fd);
  put_text(&text, name);
  finish_text(&text);
  return text.full ? -ENAMETOOLONG : 0;
}

/* The directory that a path leads into, and the name in it. */
static long open_parent(const char *path, const char **name) {
  char parent[PATH_SIZE];
  struct text folder = {parent, 0, sizeof parent, false};
  size_t base = strlen(path);
  while (base > 0 && path[base - 1] != '/') base--;
  *name = path + base;
  put_bytes(&folder, path, base);
  if (base == 0) put_text(&folder, ".");
  finish_text(&folder);
  return folder.full ? -ENAMETOOLONG : sys(openat, AT_FDCWD, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

static long bind_privately(int fd, const struct sockaddr_un *address) {
  long mask = sys(umask, 0177);
  long result = sys(bind, fd, address, sizeof *address);
  sys(umask, mask);
  return result;
}

/* Bound under a short name of this process's own, then renamed: it appears whole, in the place of what was there. */
static long bind_at(int fd, int dir, const char *name) {
  char own[32];
  struct text text = {own, 0, sizeof own, false};
  struct sockaddr_un address;
  put_text(&text, "/.new-");
  put_number(&text, (u64)sys(getpid, 0));
  finish_text(&text);
  long result = address_below(&address, dir, own);
  if (result >= 0) result = bind_privately(fd, &address);
  if (result == -EADDRINUSE) { /* left by a process that was killed here */
    sys(unlinkat, dir, own + 1, 0);
    result = bind_privately(fd, &address);
  }
  if (result >= 0) result = sys(listen, fd, BACKLOG);
  if (result >= 0) result = sys(renameat2, dir, own + 1, dir, name, 0);
  if (result < 0) sys(unlinkat, dir, own + 1, 0);
  return result;
}

long listen_unix(const char *path) {
  const char *name;
  long dir = open_parent(path, &name), result = dir;
  if (dir < 0) return dir;
  long fd = sys(socket, AF_UNIX_, SOCK_STREAM_ | SOCK_CLOEXEC_ | O_NONBLOCK, 0);
  if (fd >= 0) result = bind_at((int)fd, (int)dir, name);
  close_fd((int)dir);
  if (fd < 0 || result >= 0) return fd;
  close_fd((int)fd);
  return result;
}

long connect_unix(const char *path) {
  struct sockaddr_un address;
  long file = sys(openat, AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
  if (file < 0) return file;
  long fd = sys(socket, AF_UNIX_, SOCK_STREAM_ | SOCK_CLOEXEC_, 0), result = fd;
  if (fd >= 0) result = address_below(&address, (int)file, "");
  if (fd >= 0 && result >= 0) result = sys(connect, fd, &address, sizeof address);
  close_fd((int)file);
  if (fd < 0 || result >= 0) return fd;
  close_fd((int)fd);
  return result;
}

long send_descriptor(int socket, int fd, struct io_slice slice) {
  struct rights rights = {RIGHTS_SIZE, SOL_SOCKET, SCM_RIGHTS_, fd};
  struct message message = {.slices = &slice, .slice_count = 1, .control = &rights, .control_size = sizeof rights};
  long size = sys(sendmsg, socket, &message, MSG_NOSIGNAL_);
  if (size < 0) return size;
  return (size_t)size == slice.size ? 0 : -EIO;
}

long send_descriptor_to(const char *path, int fd, struct io_slice message) {
  long socket = connect_unix(path);
  if (socket < 0) return socket;
  long result = send_descriptor((int)socket, fd, message);
  close_fd((int)socket);
  return result;
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
