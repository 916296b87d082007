/**
 * The C library's functions that this program calls, bound at the first call of any of them.
 *
 * Binding takes under a millisecond, which a command that needs no system call of its own must not pay. A call costs about
 * 0.1 µs more than the system call itself.
 */
import type { FFIFunction, FFIType, Library } from "bun:ffi";

/** A 64-bit result that comes as a number where it fits; its name alone is missing from the binding's types. */
const FAST = 15 as FFIType.i64_fast;

const signatures = {
  __errno_location: { args: [], returns: "ptr" },
  syscall: { args: ["i64", "i64", "i64", "i64", "i64", "i64", "i64"], returns: FAST },
  openat: { args: ["i32", "cstring", "i32", "u32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  mkdirat: { args: ["i32", "cstring", "u32"], returns: "i32" },
  mknodat: { args: ["i32", "cstring", "u32", "u64"], returns: "i32" },
  symlinkat: { args: ["cstring", "i32", "cstring"], returns: "i32" },
  linkat: { args: ["i32", "cstring", "i32", "cstring", "i32"], returns: "i32" },
  unlinkat: { args: ["i32", "cstring", "i32"], returns: "i32" },
  readlinkat: { args: ["i32", "cstring", "ptr", "u64"], returns: FAST },
  fchown: { args: ["i32", "u32", "u32"], returns: "i32" },
  fchownat: { args: ["i32", "cstring", "u32", "u32", "i32"], returns: "i32" },
  fchmod: { args: ["i32", "u32"], returns: "i32" },
  chmod: { args: ["cstring", "u32"], returns: "i32" },
  futimens: { args: ["i32", "ptr"], returns: "i32" },
  utimensat: { args: ["i32", "cstring", "ptr", "i32"], returns: "i32" },
  statx: { args: ["i32", "cstring", "i32", "u32", "ptr"], returns: "i32" },
  fsetxattr: { args: ["i32", "cstring", "ptr", "u64", "i32"], returns: "i32" },
  setxattr: { args: ["cstring", "cstring", "ptr", "u64", "i32"], returns: "i32" },
  lsetxattr: { args: ["cstring", "cstring", "ptr", "u64", "i32"], returns: "i32" },
  fgetxattr: { args: ["i32", "cstring", "ptr", "u64"], returns: FAST },
  getxattr: { args: ["cstring", "cstring", "ptr", "u64"], returns: FAST },
  lgetxattr: { args: ["cstring", "cstring", "ptr", "u64"], returns: FAST },
  flistxattr: { args: ["i32", "ptr", "u64"], returns: FAST },
  listxattr: { args: ["cstring", "ptr", "u64"], returns: FAST },
  llistxattr: { args: ["cstring", "ptr", "u64"], returns: FAST },
  fremovexattr: { args: ["i32", "cstring"], returns: "i32" },
  lremovexattr: { args: ["cstring", "cstring"], returns: "i32" },
  read: { args: ["i32", "ptr", "u64"], returns: FAST },
  pread: { args: ["i32", "ptr", "u64", "i64"], returns: FAST },
  write: { args: ["i32", "ptr", "u64"], returns: FAST },
  pwrite: { args: ["i32", "ptr", "u64", "i64"], returns: FAST },
  lseek: { args: ["i32", "i64", "i32"], returns: FAST },
  ftruncate: { args: ["i32", "i64"], returns: "i32" },
  fallocate: { args: ["i32", "i32", "i64", "i64"], returns: "i32" },
  copy_file_range: { args: ["i32", "ptr", "i32", "ptr", "u64", "u32"], returns: FAST },
  fsync: { args: ["i32"], returns: "i32" },
  syncfs: { args: ["i32"], returns: "i32" },
  flock: { args: ["i32", "i32"], returns: "i32" },
  fstatfs: { args: ["i32", "ptr"], returns: "i32" },
  kill: { args: ["i32", "i32"], returns: "i32" },
  mount: { args: ["cstring", "cstring", "cstring", "u64", "cstring"], returns: "i32" },
  umount2: { args: ["cstring", "i32"], returns: "i32" },
} as const satisfies Record<string, FFIFunction>;

type Functions = Library<typeof signatures>["symbols"];

interface Bound {
  readonly functions: Functions;
  /** The thread's `errno`, read where it lies: a call to fetch it could itself change it. */
  readonly errno: Int32Array;
  readonly addressOf: typeof import("bun:ffi").ptr;
}

let bound: Bound | undefined;

/** The bound functions. They return what C returns; see {@link lastErrno} after a failure. */
export function libc(): Functions {
  return (bound ?? bind()).functions;
}

/** The error number of the failed call that came just before, on this thread. */
export function lastErrno(): number {
  return (bound ?? bind()).errno[0] ?? 0;
}

/** Address of a buffer's first byte, for structures that hold pointers. The caller keeps the buffer alive. */
export function addressOf(view: Uint8Array): number {
  return (bound ?? bind()).addressOf(view);
}

function bind(): Bound {
  const ffi: typeof import("bun:ffi") = require("bun:ffi");
  const functions = openLibrary(ffi).symbols;
  const location = functions.__errno_location();
  if (location === null) throw new Error("the C library has no errno");
  bound = { functions, errno: new Int32Array(ffi.toArrayBuffer(location, 0, 4)), addressOf: ffi.ptr };
  return bound;
}

/** glibc's name first, then musl's. */
function openLibrary(ffi: typeof import("bun:ffi")): Library<typeof signatures> {
  try {
    return ffi.dlopen("libc.so.6", signatures);
  } catch (failure) {
    try {
      return ffi.dlopen(`libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`, signatures);
    } catch {
      throw failure;
    }
  }
}
