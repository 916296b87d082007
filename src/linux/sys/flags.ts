/** Numbers of the Linux system-call interface (uapi headers), for x86_64 and arm64. */

const arm = process.arch === "arm64";

/** System-call numbers (asm/unistd.h); those from 424 on are the same everywhere. */
export const SYS = {
  fcntl: arm ? 25 : 72,
  madvise: arm ? 233 : 28,
  socket: arm ? 198 : 41,
  socketpair: arm ? 199 : 53,
  recvmsg: arm ? 212 : 47,
  unshare: arm ? 97 : 272,
  setns: arm ? 268 : 308,
  sendto: arm ? 206 : 44,
  recvfrom: arm ? 207 : 45,
  execve: arm ? 221 : 59,
  prctl: arm ? 167 : 157,
  getdents64: arm ? 61 : 217,
  ppoll: arm ? 73 : 271,
  inotify_add_watch: arm ? 27 : 254,
  eventfd2: arm ? 19 : 290,
  inotify_init1: arm ? 26 : 294,
  bind: arm ? 200 : 49,
  sendmsg: arm ? 211 : 46,
  pipe2: arm ? 59 : 293,
  renameat2: arm ? 276 : 316,
  memfd_create: arm ? 279 : 319,
  pidfd_send_signal: 424,
  pidfd_open: 434,
  openat2: 437,
} as const;

/** "The current directory" where a directory descriptor is expected (linux/fcntl.h). */
export const AT_FDCWD = -100;

/** Flags of the `*at` calls (linux/fcntl.h). */
export const AT = {
  SYMLINK_NOFOLLOW: 0x100,
  REMOVEDIR: 0x200,
  SYMLINK_FOLLOW: 0x400,
  NO_AUTOMOUNT: 0x800,
  EMPTY_PATH: 0x1000,
} as const;

/** open(2) flags (asm/fcntl.h); four of them have other values on ARM. */
export const O = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0o100,
  EXCL: 0o200,
  NOCTTY: 0o400,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DIRECTORY: arm ? 0o40000 : 0o200000,
  NOFOLLOW: arm ? 0o100000 : 0o400000,
  NOATIME: 0o1000000,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
  TMPFILE: 0o20000000 | (arm ? 0o40000 : 0o200000),
} as const;

/** How openat2(2) resolves a path (linux/openat2.h). */
export const RESOLVE = {
  NO_XDEV: 0x01,
  NO_MAGICLINKS: 0x02,
  NO_SYMLINKS: 0x04,
  BENEATH: 0x08,
  IN_ROOT: 0x10,
} as const;

/** File type bits of a mode (linux/stat.h). */
export const S = {
  IFMT: 0o170000,
  IFSOCK: 0o140000,
  IFLNK: 0o120000,
  IFREG: 0o100000,
  IFBLK: 0o060000,
  IFDIR: 0o040000,
  IFCHR: 0o020000,
  IFIFO: 0o010000,
} as const;

/** renameat2(2) flags (linux/fs.h). */
export const RENAME = { NOREPLACE: 1, EXCHANGE: 2, WHITEOUT: 4 } as const;

/** flock(2) operations (asm-generic/fcntl.h). */
export const LOCK = { SH: 1, EX: 2, NB: 4, UN: 8 } as const;

/** mount(2) flags (linux/mount.h). */
export const MS = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  REMOUNT: 32,
  BIND: 4096,
  MOVE: 8192,
  REC: 16384,
  UNBINDABLE: 1 << 17,
  PRIVATE: 1 << 18,
  SLAVE: 1 << 19,
  SHARED: 1 << 20,
} as const;

/** umount2(2) flags (linux/fs.h). */
export const UMOUNT = { FORCE: 1, DETACH: 2, EXPIRE: 4, NOFOLLOW: 8 } as const;

/** fallocate(2) modes (linux/falloc.h). */
export const FALLOC = { KEEP_SIZE: 1, PUNCH_HOLE: 2 } as const;

/** lseek(2) origins (linux/fs.h). */
export const SEEK = { SET: 0, CUR: 1, END: 2, DATA: 3, HOLE: 4 } as const;
