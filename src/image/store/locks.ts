import { fstatSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type HeldLock, lockFile, tryLockFile } from "../../linux/sys/lock.ts";
import type { ContentStore } from "../content/content-store.ts";

/** What a lock is about: a blob, an unpacked layer, or a lease. */
export type LockKind = "blob" | "layer" | "lease";

/**
 * Locks among processes, each a locked file in the ingest directory. The kernel gives a lock back when its holder ends,
 * however that happens, so there is nothing to repair after a kill.
 */
export class Locks {
  constructor(private readonly content: ContentStore) {}

  #path(kind: LockKind, name: string): string {
    return join(this.content.ingestDirectory, `${kind}-${name.replace(":", "-")}.lock`);
  }

  /** Waits for the lock; `onWait` is called if there is something to wait for. */
  async take(
    kind: LockKind,
    name: string,
    options: { readonly signal?: AbortSignal; readonly onWait?: () => void } = {},
  ): Promise<Disposable> {
    this.content.prepare();
    const path = this.#path(kind, name);
    for (let waited = false; ; waited = true) {
      const lock = tryLockFile(path, "exclusive") ?? (await this.#wait(path, waited ? {} : options, options.signal));
      const own = current(path, lock);
      if (own !== undefined) return own;
    }
  }

  #wait(path: string, { onWait }: { readonly onWait?: () => void }, signal?: AbortSignal): Promise<HeldLock> {
    onWait?.();
    return lockFile(path, "exclusive", signal);
  }

  /** The lock, or `undefined` at once where somebody holds it. */
  try(kind: LockKind, name: string): Disposable | undefined {
    this.content.prepare();
    const path = this.#path(kind, name);
    for (;;) {
      const lock = tryLockFile(path, "exclusive");
      if (lock === undefined) return undefined;
      const own = current(path, lock);
      if (own !== undefined) return own;
    }
  }
}

/** The last holder deletes the file; who waited for that very file holds a lock that nobody else sees, and must try again. */
function current(path: string, lock: HeldLock): Disposable | undefined {
  if (statSync(path, { throwIfNoEntry: false })?.ino !== fstatSync(lock.fd).ino) {
    lock.release();
    return undefined;
  }
  return {
    [Symbol.dispose]() {
      rmSync(path, { force: true });
      lock.release();
    },
  };
}
