import { errno } from "../errno.ts";
import { AT_FDCWD, LOCK, O } from "./flags.ts";
import { lastErrno, libc } from "./libc.ts";
import { close, openat } from "./open.ts";
import { lastError } from "./system-error.ts";

/** Milliseconds between two attempts while another process holds a lock: first, and at most. */
const FIRST_WAIT = 1;
const LONGEST_WAIT = 50;

/**
 * flock(2) without waiting: whether the lock was had. It belongs to the open file, ends when the last descriptor of it is closed,
 * and so with the process, however that ends.
 */
export function tryFlock(fd: number, kind: "shared" | "exclusive"): boolean {
  for (;;) {
    if (libc().flock(fd, (kind === "shared" ? LOCK.SH : LOCK.EX) | LOCK.NB) === 0) return true;
    if (lastErrno() === errno.EAGAIN) return false;
    if (lastErrno() !== errno.EINTR) throw lastError("flock");
  }
}

/** flock(2) that lets the event loop run while it waits. */
export async function flock(fd: number, kind: "shared" | "exclusive", signal?: AbortSignal): Promise<void> {
  for (let wait = FIRST_WAIT; !tryFlock(fd, kind); wait = Math.min(2 * wait, LONGEST_WAIT)) {
    signal?.throwIfAborted();
    await Bun.sleep(wait);
  }
}

/** A lock that is held. Disposable, so that `using` gives it back. */
export interface HeldLock extends Disposable {
  readonly fd: number;
  release(): void;
}

/** Takes the lock of the file at `path`, which is made if need be; waits without blocking the thread. */
export async function lockFile(path: string, kind: "shared" | "exclusive", signal?: AbortSignal): Promise<HeldLock> {
  const fd = openat(AT_FDCWD, path, O.RDWR | O.CREAT | O.NOFOLLOW, 0o600);
  try {
    await flock(fd, kind, signal);
  } catch (failure) {
    close(fd);
    throw failure;
  }
  return held(fd);
}

/** As {@link lockFile}, `undefined` at once where somebody else holds it. */
export function tryLockFile(path: string, kind: "shared" | "exclusive"): HeldLock | undefined {
  const fd = openat(AT_FDCWD, path, O.RDWR | O.CREAT | O.NOFOLLOW, 0o600);
  try {
    if (tryFlock(fd, kind)) return held(fd);
  } catch (failure) {
    close(fd);
    throw failure;
  }
  close(fd);
  return undefined;
}

function held(fd: number): HeldLock {
  let open = true;
  const release = () => {
    if (open) close(fd);
    open = false;
  };
  return { fd, release, [Symbol.dispose]: release };
}
