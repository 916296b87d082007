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
 * execve(2): this process becomes the program, with these descriptors besides the standard streams, and of the environment these entries
 * alone. Returns only by throwing.
 */
export function become(
  program: string,
  args: readonly string[],
  keep: readonly number[],
  env: readonly string[] = [],
): never {
  for (const fd of keep) syscall("fcntl", SYS.fcntl, fd, F_SETFD, 0);
  const [argv, envp] = [texts([program, ...args]), texts(env)];
  const [name = new Uint8Array(1)] = argv;
  const [argvList, envpList] = [pointers(argv), pointers(envp)];
  syscall("execve", SYS.execve, addressOf(name), addressOf(argvList), addressOf(envpList));
  throw new Error("execve returned");
}

function texts(words: readonly string[]): readonly Uint8Array[] {
  return words.map((text) => new TextEncoder().encode(`${text}\0`));
}

function pointers(words: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(new BigUint64Array([...words.map((text) => BigInt(addressOf(text))), 0n]).buffer);
}
