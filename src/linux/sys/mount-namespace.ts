/** A mount namespace for this program's main thread alone, and for the programs that it starts meanwhile (unshare(2), setns(2)). */
import { closeSync, openSync } from "node:fs";
import { syscall } from "./call.ts";
import { SYS } from "./flags.ts";

const CLONE_FS = 0x200;
const CLONE_NEWNS = 0x20000;

/** Enters a new one, in which mounts still propagate as they did. Disposing leaves it, to the same working directory. */
export function ownMountNamespace(): Disposable {
  const directory = process.cwd();
  const host = openSync("/proc/thread-self/ns/mnt", "r");
  syscall("unshare", SYS.unshare, CLONE_NEWNS);
  return {
    [Symbol.dispose]() {
      try {
        // A thread that was begun meanwhile shares the directories of this one, which nobody may who changes his mount namespace.
        syscall("unshare", SYS.unshare, CLONE_FS);
        syscall("setns", SYS.setns, host, CLONE_NEWNS);
        process.chdir(directory);
      } finally {
        closeSync(host);
      }
    },
  };
}
