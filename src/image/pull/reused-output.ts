import type { Duplex } from "node:stream";

/** Buffers in turns: two that the reader has, one that is full and waits for it, one that is being filled. */
const TURNS = 4;

/**
 * Lets a stream of node:zlib write all its output into a few buffers, in turns, in place of a new one for each chunk. The first touch of
 * a page of memory costs as much as decompressing what fills it, and of new buffers every page is touched for the first time.
 *
 * A chunk is good until the next but one is asked for: the stream does not go on while two wait (its high water mark is below one chunk's
 * size). Set before anything is written to the stream. `_outBuffer` is where node:zlib keeps the buffer at hand; it is not part of
 * its documentation, so a test makes sure that it still is.
 */
export function reuseOutput<T extends Duplex>(stream: T, chunkSize: number): T {
  const buffers = Array.from({ length: TURNS }, () => Buffer.allocUnsafeSlow(chunkSize));
  let turn = 0;
  Object.defineProperty(stream, "_outBuffer", {
    get: () => buffers[turn],
    set: () => {
      turn = (turn + 1) % TURNS;
    },
  });
  return stream;
}
