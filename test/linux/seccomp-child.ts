/** Puts a filter on itself, then makes the system calls that it is given and prints what each returned. For seccomp.test.ts. */
import { dlopen, FFIType, ptr } from "bun:ffi";
import { compileFilter } from "../../src/linux/seccomp/compile.ts";
import { defaultSeccomp } from "../../src/linux/seccomp/default-filter.ts";

const { symbols } = dlopen("libc.so.6", {
  prctl: { args: [FFIType.i32, FFIType.u64, FFIType.u64, FFIType.u64, FFIType.u64], returns: FFIType.i32 },
  syscall: { args: [FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64], returns: FFIType.i64 },
  __errno_location: { args: [], returns: FFIType.ptr },
});

const PR_SET_NO_NEW_PRIVS = 38;
const SYS_SECCOMP = 317;
const SECCOMP_SET_MODE_FILTER = 1;
const TSYNC = 1;

const { program, flags } = compileFilter(defaultSeccomp({ capabilities: JSON.parse(process.argv[2] ?? "[]") }));
const fprog = new DataView(new ArrayBuffer(16));
fprog.setUint16(0, program.length / 8, true);
fprog.setBigUint64(8, BigInt(ptr(program)), true);

symbols.prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n);
const loaded = symbols.syscall(
  SYS_SECCOMP,
  SECCOMP_SET_MODE_FILTER,
  flags | TSYNC,
  ptr(new Uint8Array(fprog.buffer)),
  0,
);
if (loaded !== 0n) throw new Error(`seccomp: ${loaded}`);

const { read } = await import("bun:ffi");
const calls = JSON.parse(process.argv[3] ?? "[]") as number[][];
const results = calls.map(([number = 0, first = 0, second = 0]) => {
  const location = symbols.__errno_location();
  const result = symbols.syscall(number, first, second, 0, 0);
  return result === -1n && location !== null ? -read.i32(location) : Number(result > 0n ? 1n : result);
});
console.log(JSON.stringify(results));
