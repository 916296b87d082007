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

/** How long to wait before another try where a pipe is full and was left non-blocking by another program, in milliseconds. */
const FULL_MS = 5;

/** Writes all bytes outside the main thread, at `position` or, without one, where the descriptor stands. */
export async function writeAll(fd: number, bytes: Uint8Array, position: number | null): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const count = await writeOnce(fd, bytes.subarray(done), position === null ? null : position + done);
    if (count === 0) await Bun.sleep(FULL_MS);
    done += count;
  }
}

/** Bytes that were written; 0 where the descriptor takes none for now. */
function writeOnce(fd: number, bytes: Uint8Array, position: number | null): Promise<number> {
  return new Promise((resolve, reject) =>
    write(fd, bytes, 0, bytes.length, position, (failure, count) => {
      if (failure === null) resolve(count);
      else if (failure.code === "EAGAIN" || failure.code === "EINTR") resolve(0);
      else reject(failure);
    }),
  );
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
