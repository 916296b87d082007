#include "copy.h"

#include "process.h"

#define SEEK_DATA_ 3
#define SEEK_HOLE_ 4
#define CHUNK (1L << 30)
#define SMALL 65536
#define XATTR_LIMIT 65536

static long copy_by_hand(int from, int to, int64_t size) {
  u8 bytes[16384];
  while (size > 0) {
    long got = sys(read, from, bytes, size < (int64_t)sizeof bytes ? size : (int64_t)sizeof bytes);
    if (got <= 0) return got;
    long put = write_fully(to, bytes, (size_t)got);
    if (put < 0) return put;
    size -= got;
  }
  return 0;
}

/* Shares blocks where the file system can, copies inside the kernel otherwise; some pairs of file systems can do neither. */
static long copy_range(int from, int to, int64_t start, int64_t end) {
  sys(lseek, from, start, 0);
  sys(lseek, to, start, 0);
  while (start < end) {
    long size = sys(copy_file_range, from, 0, to, 0, end - start < CHUNK ? end - start : CHUNK, 0);
    if (size == -EINTR) continue;
    if (size <= 0) return size == 0 || size == -EXDEV || size == -EINVAL || size == -EOPNOTSUPP || size == -ENOSYS
                              ? copy_by_hand(from, to, end - start)
                              : size;
    start += size;
  }
  return 0;
}

/* Only what is data is copied; holes stay holes. Small files are spared the calls that would find none. */
static long copy_data(int from, int to, const struct stat *stat) {
  int64_t start = 0, size = stat->st_size;
  if (size <= SMALL && stat->st_blocks * 512 >= size) return copy_by_hand(from, to, size);
  long result = sys(ftruncate, to, size);
  while (result >= 0 && start < size) {
    int64_t data = sys(lseek, from, start, SEEK_DATA_);
    if (data == -ENXIO) return 0;
    if (data < 0) return copy_range(from, to, start, size);
    int64_t hole = sys(lseek, from, data, SEEK_HOLE_);
    if (hole < 0 || hole > size) hole = size;
    result = copy_range(from, to, data, hole);
    start = hole;
  }
  return result;
}

static bool is_unsupported(long error) {
  return error == -EOPNOTSUPP || error == -ENODATA;
}

/* Descriptors opened with O_PATH take the calls by path only, through /proc/self/fd. */
static long copy_xattr(const char *from, const char *to, const char *name, u8 *value) {
  long size = sys(getxattr, from, name, value, XATTR_LIMIT);
  if (size < 0) return is_unsupported(size) ? 0 : size;
  long result = sys(setxattr, to, name, value, size, 0);
  /* A file system without this kind of attribute keeps the file none the less. */
  return is_unsupported(result) ? 0 : result;
}

static const char *descriptor_path(char path[64], int fd) {
  char rest[32];
  struct text text = {rest, 0, sizeof rest, false};
  put_text(&text, "fd/");
  put_number(&text, (u64)fd);
  return process_path(path, 0, finish_text(&text));
}

static long copy_listed_xattrs(const char *from, const char *to, const char *names, long size) {
  u8 *value = map_memory(XATTR_LIMIT);
  long result = value == NULL ? -ENOMEM : 0;
  for (long at = 0; at < size && result >= 0; at += (long)strlen(names + at) + 1) {
    result = copy_xattr(from, to, names + at, value);
  }
  if (value != NULL) unmap_memory(value, XATTR_LIMIT);
  return result;
}

static long copy_xattrs(const char *from, const char *to) {
  char few[1024], *names = few;
  long size = sys(listxattr, from, few, sizeof few);
  if (size == -ERANGE) {
    names = map_memory(XATTR_LIMIT);
    if (names == NULL) return -ENOMEM;
    size = sys(listxattr, from, names, XATTR_LIMIT);
  }
  long result = size < 0 && !is_unsupported(size) ? size : 0;
  if (size > 0) result = copy_listed_xattrs(from, to, names, size);
  if (names != few) unmap_memory(names, XATTR_LIMIT);
  return result;
}

static long set_times(int dir, const char *name, const struct stat *stat) {
  struct __kernel_timespec times[2] = {{(int64_t)stat->st_atime, (long long)stat->st_atime_nsec},
                                       {(int64_t)stat->st_mtime, (long long)stat->st_mtime_nsec}};
  return sys(utimensat, dir, name, times, 0);
}

/* A change of owner takes set-id bits and capabilities away, so these come after it. */
long copy_attributes(int from, int to, const struct stat *stat) {
  char source[64], copy[64];
  long result = sys(fchown, to, stat->st_uid, stat->st_gid);
  if (result >= 0) result = sys(fchmod, to, stat->st_mode & 07777);
  if (result >= 0) result = copy_xattrs(descriptor_path(source, from), descriptor_path(copy, to));
  return result < 0 ? result : set_times(to, NULL, stat);
}

static long copy_regular(int from_dir, int to_dir, const char *name, const struct stat *stat) {
  long from = sys(openat, from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
  if (from < 0) return from;
  long to = sys(openat, to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  long result = to;
  if (to >= 0) result = copy_data((int)from, (int)to, stat);
  if (result >= 0) result = copy_attributes((int)from, (int)to, stat);
  close_fd((int)from);
  if (to >= 0) close_fd((int)to);
  return result;
}

static long open_itself(int dir, const char *name) {
  return sys(openat, dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
}

/* The new name may lie in a volume that somebody else writes to: what is changed is what was found there once, by descriptor, and
   the magic link in /proc leads to that very file, a symbolic link too, without following it. */
static long copy_special_attributes(int from, int to, const struct stat *stat) {
  char source[64], copy[64];
  struct stat made;
  long result = sys(fstat, to, &made);
  if (result < 0) return result;
  if ((made.st_mode & S_IFMT) != (stat->st_mode & S_IFMT)) return -ESTALE;
  descriptor_path(source, from);
  descriptor_path(copy, to);
  result = sys(fchownat, to, "", stat->st_uid, stat->st_gid, AT_EMPTY_PATH);
  if (result >= 0 && (stat->st_mode & S_IFMT) != S_IFLNK) result = sys(fchmodat, AT_FDCWD, copy, stat->st_mode & 07777);
  if (result >= 0) result = copy_xattrs(source, copy);
  return result < 0 ? result : set_times(AT_FDCWD, copy, stat);
}

static long copy_named_attributes(int from_dir, int to_dir, const char *name, const struct stat *stat) {
  long from = open_itself(from_dir, name), to = open_itself(to_dir, name);
  long result = from < 0 ? from : to < 0 ? to : copy_special_attributes((int)from, (int)to, stat);
  if (from >= 0) close_fd((int)from);
  if (to >= 0) close_fd((int)to);
  return result;
}

static long copy_link(int from_dir, int to_dir, const char *name) {
  char target[PATH_SIZE];
  long size = sys(readlinkat, from_dir, name, target, sizeof target - 1);
  if (size < 0) return size;
  target[size] = 0;
  return sys(symlinkat, target, to_dir, name);
}

long copy_file(int from_dir, int to_dir, const char *name, const struct stat *stat) {
  u32 type = stat->st_mode & S_IFMT;
  if (type == S_IFREG) return copy_regular(from_dir, to_dir, name, stat);
  long result = type == S_IFLNK ? copy_link(from_dir, to_dir, name)
                                : sys(mknodat, to_dir, name, type | 0600, stat->st_rdev);
  return result < 0 ? result : copy_named_attributes(from_dir, to_dir, name, stat);
}
