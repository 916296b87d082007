import { mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { GalleyError } from "../../errors.ts";
import { fstat, lockFile } from "../../linux/sys/sys.ts";

/**
 * Waits until no other process makes or deletes the layer, and keeps it so. The lock's file goes with its last holder; who waited for
 * that very file meanwhile holds a lock on nothing, and waits again.
 */
export async function lockLayer(layers: string, diffId: string, signal?: AbortSignal): Promise<Disposable> {
  const directory = join(layers, "locks");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, diffId.replace(":", "-"));
  for (;;) {
    const lock = await lockFile(path, "exclusive", signal).catch((failure: unknown) => {
      throw signal?.aborted === true ? canceled(diffId, failure) : failure;
    });
    if (statSync(path, { bigint: true, throwIfNoEntry: false })?.ino === fstat(lock.fd).inode) {
      return {
        [Symbol.dispose]() {
          rmSync(path, { force: true });
          lock.release();
        },
      };
    }
    lock.release();
  }
}

function canceled(diffId: string, cause: unknown): GalleyError {
  return new GalleyError("canceled", "waiting for another process was called off", {
    op: "unpack",
    subject: diffId,
    cause,
  });
}
