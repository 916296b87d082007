/** What the lean program's C gives to its TypeScript: native/lean/system.c. */
import { describeErrno, errno, errnoName } from "../linux/errno.ts";
import { SYS } from "../linux/sys/flags.ts";

export interface System {
  readonly argv: readonly string[];
  /** `NAME=value` each. */
  readonly environ: readonly string[];
  /** A system call: numbers, strings, and typed arrays by their address. The result, or the error number below zero. */
  call(number: number, ...args: readonly (number | string | Uint8Array | null)[]): number;
  /** Starts a program without an environment, whose descriptor i is `descriptors[i]`. The pid, or the error number below zero. */
  spawn(program: string, args: readonly string[], descriptors: Int32Array): number;
  /** execve(2); returns the error number below zero, if at all. */
  become(program: string, args: readonly string[], withEnvironment: boolean): number;
  /** UTF-8; halves of surrogate pairs become U+FFFD. */
  encode(text: string): ArrayBuffer;
  /** The same, into `bytes` from `offset` on, where there must be room; its length. */
  encodeInto(text: string, bytes: Uint8Array, offset: number): number;
  decode(bytes: Uint8Array): string;
  sha256(bytes: Uint8Array): ArrayBuffer;
  address(bytes: Uint8Array): number;
  /** How deep a JSON text is nested. */
  nesting(text: string): number;
  /** A descriptor of the native program in sealed memory, or the error number below zero. */
  nativeProgram(): number;
}

declare global {
  var system: System;
}

const ARM = process.arch === "arm64";

/** Numbers of the calls (asm/unistd.h) on this machine. */
export const calls = {
  ...SYS,
  read: ARM ? 63 : 0,
  write: ARM ? 64 : 1,
  close: ARM ? 57 : 3,
  lseek: ARM ? 62 : 8,
  fsync: ARM ? 82 : 74,
  kill: ARM ? 129 : 62,
  openat: ARM ? 56 : 257,
  mkdirat: ARM ? 34 : 258,
  mknodat: ARM ? 33 : 259,
  unlinkat: ARM ? 35 : 263,
  readlinkat: ARM ? 78 : 267,
  fchmodat: ARM ? 53 : 268,
  statfs: ARM ? 43 : 137,
  statx: ARM ? 291 : 332,
  wait4: ARM ? 260 : 61,
  nanosleep: ARM ? 101 : 35,
  clock_gettime: ARM ? 113 : 228,
  getcwd: ARM ? 17 : 79,
  getpid: ARM ? 172 : 39,
  geteuid: ARM ? 175 : 107,
  getegid: ARM ? 177 : 108,
  getrandom: ARM ? 278 : 318,
} as const;

export type CallName = keyof typeof calls;

type Argument = number | string | Uint8Array | null;

/** A call by name, repeated where a signal interrupts it; the error number below zero where it fails. */
export function attempt(name: CallName, ...args: readonly Argument[]): number {
  for (;;) {
    const result = system.call(calls[name], ...args);
    if (result !== -errno.EINTR) return result;
  }
}

/** As {@link attempt}, but a failure is thrown as Node throws it. `path` is what the message names. */
export function call(name: CallName, path: string | undefined, ...args: readonly Argument[]): number {
  const result = attempt(name, ...args);
  if (result >= 0) return result;
  throw systemFailure(-result, name, path);
}

/** A system call's failure with Node's fields. Texts are looked up when somebody asks: most failures are expected and dropped. */
class SystemFailure extends Error {
  /** Below zero. */
  readonly errno: number;

  constructor(
    number: number,
    readonly syscall: string,
    readonly path: string | undefined,
  ) {
    super();
    this.errno = -number;
  }

  get code(): string | undefined {
    return errnoName(this.errno);
  }

  override get message(): string {
    const about = this.path === undefined ? "" : ` '${this.path}'`;
    return `${describeErrno(this.errno)}, ${this.syscall}${about}`;
  }
}

export function systemFailure(number: number, syscall: string, path: string | undefined): Error {
  return new SystemFailure(number, syscall, path);
}
