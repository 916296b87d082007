import { copyFileRange, ftruncate, pread, pwriteAll, SEEK, seek } from "../sys/sys.ts";

/** Bytes for one system call: enough to be fast, little enough to be called off in between. */
const PART = 8 << 20;

/**
 * Copies a file's content into an empty one: holes stay holes, and blocks are shared where the file system can do that.
 * @param size of the source, in bytes
 */
export function copyData(from: number, to: number, size: number): void {
  for (let at = 0; at < size; ) {
    const start = seek(from, at, SEEK.DATA);
    if (start === undefined || start >= size) break;
    const end = Math.min(seek(from, start, SEEK.HOLE) ?? size, size);
    copyRange(from, to, start, end);
    at = end;
  }
  ftruncate(to, size);
}

function copyRange(from: number, to: number, start: number, end: number): void {
  seek(from, start, SEEK.SET);
  seek(to, start, SEEK.SET);
  for (let at = start; at < end; ) {
    const copied = copyFileRange(from, to, Math.min(PART, end - at));
    if (copied === undefined) copyByHand(from, to, at, end);
    if (copied === undefined || copied === 0) return;
    at += copied;
  }
}

function copyByHand(from: number, to: number, start: number, end: number): void {
  const buffer = new Uint8Array(Math.min(1 << 20, end - start));
  for (let at = start; at < end; ) {
    const count = pread(from, buffer.subarray(0, Math.min(buffer.length, end - at)), at);
    if (count === 0) return;
    pwriteAll(to, buffer.subarray(0, count), at);
    at += count;
  }
}
