/** Becoming another program, and the parent of processes whose own has gone. */

import { syscall } from "./call.ts";
import { SYS } from "./flags.ts";
import { addressOf } from "./libc.ts";

const PR_SET_CHILD_SUBREAPER = 36;
const F_SETFD = 2;

/** prctl(2) PR_SET_CHILD_SUBREAPER: processes below this one that lose their parent become its children. */
export function becomeSubreaper(): void {
  syscall("prctl", SYS.prctl, PR_SET_CHILD_SUBREAPER, 1);
}

/**
 * execve(2): this process becomes the program, with these descriptors besides the standard streams and no environment. Returns only by
 * throwing.
 */
export function become(program: string, args: readonly string[], keep: readonly number[]): never {
  for (const fd of keep) syscall("fcntl", SYS.fcntl, fd, F_SETFD, 0);
  const texts = [program, ...args].map((text) => new TextEncoder().encode(`${text}\0`));
  const pointers = new BigUint64Array([...texts.map((text) => BigInt(addressOf(text))), 0n]);
  const nothing = new BigUint64Array(1);
  const [name = new Uint8Array(1)] = texts;
  syscall("execve", SYS.execve, addressOf(name), addressOf(bytesOf(pointers)), addressOf(bytesOf(nothing)));
  throw new Error("execve returned");
}

function bytesOf(words: BigUint64Array): Uint8Array {
  return new Uint8Array(words.buffer);
}
