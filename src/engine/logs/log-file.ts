/** One file of a log, read in whole lines from some place on; the file may grow meanwhile. */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";

const CHUNK = 64 * 1024;
const NEWLINE = 0x0a;

export class LogFile implements Disposable {
  readonly inode: bigint;
  readonly #fd: number;
  #offset = 0;
  /** The beginning of a line whose end is not there yet. */
  #rest = Buffer.alloc(0);

  private constructor(fd: number) {
    this.#fd = fd;
    this.inode = fstatSync(fd, { bigint: true }).ino;
  }

  /** Undefined where there is no such file. */
  static open(path: string): LogFile | undefined {
    try {
      return new LogFile(openSync(path, "r"));
    } catch (failure) {
      if ((failure as { code?: unknown }).code === "ENOENT") return undefined;
      throw failure;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  /** Milliseconds since 1970 at which it was last written. */
  get modified(): number {
    return fstatSync(this.#fd).mtimeMs;
  }

  /** The next lines that are there, without their ends; none at the end of the file. */
  next(): readonly string[] {
    for (;;) {
      this.#startOver();
      const chunk = Buffer.allocUnsafe(CHUNK);
      const size = readSync(this.#fd, chunk, 0, CHUNK, this.#offset);
      if (size === 0) return [];
      this.#offset += size;
      const bytes = Buffer.concat([this.#rest, chunk.subarray(0, size)]);
      const end = bytes.lastIndexOf(NEWLINE) + 1;
      this.#rest = Buffer.from(bytes.subarray(end));
      if (end > 0) return bytes.toString("utf8", 0, end - 1).split("\n");
    }
  }

  /** A log of one file is emptied when it is full. */
  #startOver(): void {
    if (this.#offset === 0 || fstatSync(this.#fd).size >= this.#offset) return;
    this.#offset = 0;
    this.#rest = Buffer.alloc(0);
  }

  /**
   * Goes to where its last `count` whole lines begin, reading backwards from the end. Gives the number of lines that it has from
   * there on, which is less than `count` where it has no more.
   */
  seekToLast(count: number): number {
    const { size } = fstatSync(this.#fd);
    let found = 0;
    let end = this.#lastNewline(size);
    this.#offset = end;
    while (end > 0 && found < count) {
      end = this.#lastNewline(end - 1);
      this.#offset = end;
      found += 1;
    }
    this.#block = undefined;
    return found;
  }

  #block: { readonly start: number; readonly bytes: Buffer } | undefined;

  /** The place after the last line feed before `before`; 0 where there is none. */
  #lastNewline(before: number): number {
    for (let end = before; end > 0; ) {
      const block = this.#blockBefore(end);
      const at = block.bytes.lastIndexOf(NEWLINE, end - block.start - 1);
      if (at >= 0 && at < end - block.start) return block.start + at + 1;
      end = block.start;
    }
    return 0;
  }

  /** The block of the file that holds the byte before `end`. */
  #blockBefore(end: number): { readonly start: number; readonly bytes: Buffer } {
    const start = Math.floor((end - 1) / CHUNK) * CHUNK;
    if (this.#block?.start === start && this.#block.bytes.length >= end - start) return this.#block;
    const bytes = Buffer.allocUnsafe(CHUNK);
    const size = readSync(this.#fd, bytes, 0, CHUNK, start);
    this.#block = { start, bytes: bytes.subarray(0, size) };
    return this.#block;
  }

  /** Whether `path` is this very file. */
  isAt(path: string): boolean {
    return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino === this.inode;
  }
}

/** The name of the nth old file; 0 is the current one. */
export function numberedPath(path: string, number: number): string {
  return number === 0 ? path : `${path}.${number}`;
}

/**
 * The files of a log, oldest first, all open, so that a rotation takes none of them away. A rotation moves names up, highest first:
 * for a moment one is missing, and a file seen before is seen again.
 */
export function openLogFiles(path: string): LogFile[] {
  const files: LogFile[] = [];
  for (let number = 0, missing = 0; missing < 2; number++) {
    const file = LogFile.open(numberedPath(path, number));
    if (file === undefined) missing += 1;
    else if (files.some(({ inode }) => inode === file.inode)) file[Symbol.dispose]();
    else files.unshift(file);
    if (file !== undefined) missing = 0;
  }
  return files;
}
