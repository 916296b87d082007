import { read } from "node:fs";

const CHUNK_BYTES = 64 * 1024;
const RETRY_MS = 10;

/**
 * Standard input as it comes, at most 64 KiB at a time; the next bytes are read when they are asked for. Ends at the end of the
 * input, and at an error, which is the end of a terminal that was hung up. A chunk is good until the next is asked for.
 *
 * A read that waits cannot be taken back: it ends with the process.
 */
export async function* standardInput(): AsyncGenerator<Uint8Array, void, void> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const count = await readOnce(buffer);
    if (count === 0) return;
    if (count > 0) yield buffer.subarray(0, count);
    else await Bun.sleep(RETRY_MS);
  }
}

/** Bytes read; 0 at the end, -1 where there is nothing yet and the descriptor does not block. */
function readOnce(buffer: Uint8Array): Promise<number> {
  return new Promise((resolve) => {
    read(0, buffer, 0, buffer.length, null, (failure, count) => {
      if (failure === null) resolve(count);
      else resolve(failure.code === "EAGAIN" || failure.code === "EINTR" ? -1 : 0);
    });
  });
}
