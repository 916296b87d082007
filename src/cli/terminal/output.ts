import { write, writeSync } from "node:fs";
import { BrokenPipe } from "../write-text.ts";

/**
 * Bytes that are written at once and without a thread's help, which saves a short command most of a millisecond. A pipe or
 * terminal that is just being started with takes that many without blocking.
 */
const DIRECT_BYTES = 4096;
const FIRST_RETRY_MS = 1;
const LONGEST_RETRY_MS = 50;

/** A standard stream for bytes of a container, one write after the other. */
export interface Output {
  /** Resolves when the bytes were taken: a reader that is slow slows its caller. Throws BrokenPipe when nobody reads any more. */
  write(data: Uint8Array): Promise<void>;
}

/** Standard output or error. */
export function standardOutput(descriptor: 1 | 2): Output {
  let direct = DIRECT_BYTES;
  return {
    async write(data) {
      direct -= data.length;
      if (direct >= 0) await finish(descriptor, data, writeDirect(descriptor, data));
      else await finish(descriptor, data, 0);
    },
  };
}

function writeDirect(descriptor: number, data: Uint8Array): number {
  try {
    return writeSync(descriptor, data);
  } catch (failure) {
    if (again(failure)) return 0;
    throw closed(failure);
  }
}

/** Writes what is left behind `from`. Where the descriptor does not block, it is tried again after a growing while. */
async function finish(descriptor: number, data: Uint8Array, from: number): Promise<void> {
  let wait = FIRST_RETRY_MS;
  for (let done = from; done < data.length; ) {
    try {
      done += await writeOnce(descriptor, data.subarray(done));
      wait = FIRST_RETRY_MS;
    } catch (failure) {
      if (!again(failure)) throw closed(failure);
      await Bun.sleep(wait);
      wait = Math.min(wait * 2, LONGEST_RETRY_MS);
    }
  }
}

function writeOnce(descriptor: number, data: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, data, 0, data.length, null, (failure, written) => (failure ? reject(failure) : resolve(written)));
  });
}

function again(failure: unknown): boolean {
  const code = (failure as { code?: unknown }).code;
  return code === "EAGAIN" || code === "EINTR";
}

function closed(failure: unknown): unknown {
  return (failure as { code?: unknown }).code === "EPIPE" ? new BrokenPipe() : failure;
}
