/* The kernel's interface without a C library: system calls, and the types that the uapi headers leave out. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <asm/fcntl.h>
#include <asm/ioctls.h>
#include <linux/mman.h>
#include <asm/poll.h>
#include <asm/signal.h>
#include <asm/socket.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>
#include <linux/time_types.h>
#include <linux/un.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;

#if !defined(__x86_64__) && !defined(__aarch64__)
#error "Galley's native program knows x86_64 and aarch64"
#endif

/* Every call returns a result, or a negated error number, as the kernel does. */
static inline long syscall6(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#else
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
#endif
}

#define SYS_PICK(number, a, b, c, d, e, f, ...) \
  syscall6(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
/* sys(name, argument…): at least one argument, 0 where the call takes none. */
#define sys(name, ...) SYS_PICK(__NR_##name, __VA_ARGS__, 0, 0, 0, 0, 0, 0)

/* Newer than the headers of the oldest distribution that is supported. */
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

/* The uapi headers have no socket API. */
enum { AF_UNIX_ = 1, AF_INET_ = 2, AF_INET6_ = 10, AF_NETLINK_ = 16 };
enum { SOCK_STREAM_ = 1, SOCK_DGRAM_ = 2, SOCK_RAW_ = 3, SOCK_SEQPACKET_ = 5, SOCK_CLOEXEC_ = O_CLOEXEC };
enum { MSG_TRUNC_ = 0x20, MSG_DONTWAIT_ = 0x40, MSG_NOSIGNAL_ = 0x4000, MSG_CMSG_CLOEXEC_ = 0x40000000 };
enum { SCM_RIGHTS_ = 1 };

struct io_slice {
  const void *start;
  size_t size;
};

struct message {
  void *name;
  int name_size;
  struct io_slice *slices;
  size_t slice_count;
  void *control;
  size_t control_size;
  u32 flags;
};

/* One descriptor in a control message. */
struct rights {
  size_t size;
  int level;
  int type;
  int fd;
};
#define RIGHTS_SIZE (offsetof(struct rights, fd) + sizeof(int))

struct directory_entry {
  u64 inode;
  int64_t next;
  u16 size;
  u8 type;
  char name[];
};
enum { TYPE_UNKNOWN = 0, TYPE_DIRECTORY = 4 };

enum { WAIT_NOHANG = 1 };

static inline int exit_signal(int status) {
  return status & 0x7f;
}

static inline int exit_code(int status) {
  int number = exit_signal(status);
  return number == 0 ? (status >> 8) & 0xff : 128 + number;
}

#endif
