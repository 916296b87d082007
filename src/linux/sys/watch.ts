/** Waiting for the kernel to say that something has happened: event counters, watched files, and descriptors in turn. */
import { pathAddress, syscall } from "./call.ts";
import { O, SYS } from "./flags.ts";
import { addressOf } from "./libc.ts";

const IN_MODIFY = 2;
const POLLIN = 1;

/** eventfd(2), closed on exec; a read does not wait. */
export function eventfd(): number {
  return syscall("eventfd2", SYS.eventfd2, 0, O.CLOEXEC | O.NONBLOCK);
}

/** inotify(7): a descriptor that is readable once one of the files has been written, or would be shown differently. */
export function watchFiles(paths: readonly string[]): number {
  const fd = syscall("inotify_init1", SYS.inotify_init1, O.CLOEXEC | O.NONBLOCK);
  for (const path of paths) syscall("inotify_add_watch", SYS.inotify_add_watch, fd, pathAddress(path), IN_MODIFY);
  return fd;
}

/** poll(2): whether the descriptor is readable before the time has passed. Nothing else of this program runs meanwhile. */
export function awaitReadable(fd: number, milliseconds: number): boolean {
  const entry = new DataView(new ArrayBuffer(8));
  entry.setInt32(0, fd, true);
  entry.setInt16(4, POLLIN, true);
  const nanoseconds = BigInt(Math.max(0, Math.round(milliseconds * 1e6)));
  const time = new BigInt64Array([nanoseconds / 1_000_000_000n, nanoseconds % 1_000_000_000n]);
  const [list, until] = [new Uint8Array(entry.buffer), new Uint8Array(time.buffer)];
  return syscall("ppoll", SYS.ppoll, addressOf(list), 1, addressOf(until), 0, 8) > 0;
}
