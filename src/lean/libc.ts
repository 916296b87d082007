/** The calls of ../linux/sys/libc.ts that the OCI runtime makes, straight to the kernel. The build puts it in the place of that one. */
import { type CallName, calls } from "./system.ts";

type Argument = number | bigint | string | Uint8Array | null;

const ERROR = -1;
let error = 0;

function told(result: number): number {
  if (result >= 0) return result;
  error = -result;
  return ERROR;
}

function toKernel(name: CallName): (...args: readonly Argument[]) => number {
  return (...args) => told(system.call(calls[name], ...args.map(plain)));
}

function plain(argument: Argument): number | string | Uint8Array | null {
  return typeof argument === "bigint" ? Number(argument) : argument;
}

const functions = {
  syscall: (number: number, ...args: readonly Argument[]): number => told(system.call(number, ...args.map(plain))),
  openat: toKernel("openat"),
  close: toKernel("close"),
  mkdirat: toKernel("mkdirat"),
  mknodat: toKernel("mknodat"),
  unlinkat: toKernel("unlinkat"),
  readlinkat: toKernel("readlinkat"),
  read: toKernel("read"),
  write: toKernel("write"),
  fsync: toKernel("fsync"),
  kill: toKernel("kill"),
} as const;

export function libc(): typeof functions {
  return functions;
}

export function lastErrno(): number {
  return error;
}

export function addressOf(view: Uint8Array): number {
  return system.address(view);
}
