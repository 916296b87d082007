import { CHUNK } from "./content-store.ts";

/**
 * What comes, in pieces of half a megabyte, so that a system call and a change of threads cost little beside the work on them. The
 * pieces lie in two buffers in turn: one is filled while the other is written, and valid until the next but one is asked for. Bun's own chunks
 * are free again at once, which takes half the time of keeping them until they are written.
 */
export async function* gathered(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let piece = new Uint8Array(CHUNK);
  let other: Uint8Array<ArrayBuffer> | undefined; // Most blobs fill no more than one.
  let filled = 0;
  try {
    for await (const chunk of source) {
      for (let taken = 0; taken < chunk.length; ) {
        const part = chunk.subarray(taken, taken + CHUNK - filled);
        piece.set(part, filled);
        filled += part.length;
        taken += part.length;
        if (filled < CHUNK) continue;
        yield piece;
        [piece, other, filled] = [other ?? new Uint8Array(CHUNK), piece, 0];
      }
    }
  } catch (failure) {
    if (filled > 0) yield piece.subarray(0, filled); // Whoever goes on does so behind it.
    throw failure;
  }
  if (filled > 0) yield piece.subarray(0, filled);
}
