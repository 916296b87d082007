/* Steps about seccomp filters, and about those that ask an agent outside. */
#include "actor.h"
#include "socket.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

#ifndef __NR_pidfd_getfd
#define __NR_pidfd_getfd 438
#endif
#define POLLIN_ 1
/* Looks in memory, half a minute or more: the outside has little to do, or is no more. */
#define LOOKS 1000000000U
#define LOOK_NS 50000

static long load_filter(const struct actor *self, const struct step *step, u64 flags) {
  struct bytes filter = bytes_argument(self, step->args[1]);
  struct sock_fprog program = {(u16)(filter.size / sizeof(struct sock_filter)), (struct sock_filter *)filter.start};
  if (filter.size % sizeof(struct sock_filter) != 0 || filter.size / sizeof(struct sock_filter) > BPF_MAXINSNS) {
    return -EINVAL;
  }
  return sys(seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

long step_seccomp(struct actor *self, const struct step *step) {
  return load_filter(self, step, step->args[0]);
}

static void relax(void) {
#if defined(__x86_64__)
  __asm__ volatile("pause" ::: "memory");
#else
  __asm__ volatile("yield" ::: "memory");
#endif
}

/* Without any system call: each may be one that the filter holds up until the agent answers. */
static long await_taker(const struct actor *self) {
  for (u32 look = 0; look < LOOKS; look++) {
    if (__atomic_load_n(&self->shared->listener, __ATOMIC_ACQUIRE) == LISTENER_TAKEN) return 0;
    if (start_failed(self)) return -ECANCELED;
    relax();
  }
  return -ETIMEDOUT;
}

long step_seccomp_listen(struct actor *self, const struct step *step) {
  if (!self->inside) return -EINVAL;
  long fd = load_filter(self, step, step->args[0] | SECCOMP_FILTER_FLAG_NEW_LISTENER);
  if (fd < 0) return fd;
  __atomic_store_n(&self->shared->listener, (i32)fd, __ATOMIC_RELEASE);
  long result = await_taker(self);
  if (result == 0) close_fd((int)fd);
  return result;
}

/* Whether the inside has ended; looks for a short time. */
static bool inside_ends(const struct actor *self) {
  struct pollfd look = {.fd = self->pidfd, .events = POLLIN_};
  struct __kernel_timespec time = {.tv_nsec = LOOK_NS};
  return sys(ppoll, &look, 1, &time, 0, 0) > 0;
}

long step_take_listener(struct actor *self, const struct step *step) {
  (void)step;
  i32 theirs;
  if (self->pidfd < 0) return -ESRCH;
  while ((theirs = __atomic_load_n(&self->shared->listener, __ATOMIC_ACQUIRE)) == 0) {
    if (start_failed(self)) return -ECANCELED;
    if (!inside_ends(self)) continue;
    self->peer_gone = true;
    return -ECANCELED;
  }
  long copy = sys(pidfd_getfd, self->pidfd, theirs, 0);
  if (copy >= 0) __atomic_store_n(&self->shared->listener, LISTENER_TAKEN, __ATOMIC_RELEASE);
  return copy;
}

long step_send_state(struct actor *self, const struct step *step) {
  struct bytes template = bytes_argument(self, step->args[2]);
  u8 *message = map_memory(template.size);
  if (message == NULL) return -ENOMEM;
  memcpy(message, template.start, template.size);
  long result = put_pid(self, message, template.size, step->args[3]);
  if (result == 0) result = put_pid(self, message, template.size, step->args[4]);
  if (result == 0) {
    struct io_slice slice = {message, template.size};
    result = send_descriptor_to(text_argument(self, step->args[0]), fd_argument(self, step->args[1]), slice);
  }
  unmap_memory(message, template.size);
  return result;
}
