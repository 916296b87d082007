import { describeErrno, errnoName } from "../errno.ts";
import { lastErrno } from "./libc.ts";

/**
 * A failed system call. `code` is the errno's name; `errno` is its number, negative as in Node's own errors, so that both can be
 * handled alike. `toGalleyError` keeps the meaning of `code`.
 */
export class SystemError extends Error {
  override readonly name = "SystemError";
  readonly code: string;
  readonly errno: number;

  constructor(
    number: number,
    readonly syscall: string,
    readonly path?: string,
  ) {
    super(`${describeErrno(number)}, ${syscall}${path === undefined ? "" : ` '${path}'`}`);
    this.code = errnoName(number) ?? `E${number}`;
    this.errno = -number;
  }

  /** The same failure, said of another path. */
  of(path: string): SystemError {
    return new SystemError(-this.errno, this.syscall, path);
  }
}

/** The error of the call that just failed on this thread. Nothing may come between the call and this. */
export function lastError(syscall: string, path?: string): SystemError {
  return new SystemError(lastErrno(), syscall, path);
}

/** Whether `failure` is a system call's (or Node's own) error of one of the codes. */
export function isErrno(failure: unknown, ...codes: readonly string[]): boolean {
  const code = (failure as { code?: unknown } | null)?.code;
  return typeof code === "string" && codes.includes(code);
}
