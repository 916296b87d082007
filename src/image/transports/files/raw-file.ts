import { read, write } from "node:fs";

/** Bytes read at a time, half a megabyte. */
const CHUNK = 1 << 19;

/** Reads outside the main thread; shorter than `length` at the end of the file. */
export function readAt(fd: number, position: number, length: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(length);
  return new Promise((resolve, reject) =>
    read(fd, buffer, 0, length, position, (failure, count) =>
      failure === null ? resolve(buffer.subarray(0, count)) : reject(failure),
    ),
  );
}

/** Writes all bytes outside the main thread, at `position` or, without one, where the descriptor stands. */
export async function writeAll(fd: number, bytes: Uint8Array, position: number | null): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += await new Promise<number>((resolve, reject) =>
      write(fd, bytes, done, bytes.length - done, position === null ? null : position + done, (failure, count) =>
        failure === null ? resolve(count) : reject(failure),
      ),
    );
  }
}

/** A stretch of a file; ends early where the file does. */
export async function* readRange(fd: number, start: number, end: number): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; ) {
    const chunk = await readAt(fd, at, Math.min(CHUNK, end - at));
    if (chunk.length === 0) return;
    at += chunk.length;
    yield chunk;
  }
}
