import { ftruncateSync, writeSync } from "node:fs";

/** Bytes that are gathered before they are written. */
const WINDOW = 1 << 20;

/** A file that is written from its beginning to its end, with gaps of zeros. */
export class Output {
  #window = Buffer.alloc(WINDOW);
  /** Where the window lies in the file, and how much of it is taken. */
  #start = 0;
  #used = 0;

  constructor(private readonly fd: number) {}

  /** Room for the bytes at a place, which is not before any that was taken; zeros, valid until the next call. */
  take(at: number, length: number): Buffer {
    if (at + length > this.#start + this.#window.length) this.#move(at, length);
    this.#used = Math.max(this.#used, at + length - this.#start);
    return this.#window.subarray(at - this.#start, at - this.#start + length);
  }

  /** Writes what is left; the file has `size` bytes then. */
  end(size: number): void {
    this.#flush();
    ftruncateSync(this.fd, size);
  }

  #move(at: number, length: number): void {
    this.#flush();
    this.#start = at;
    this.#used = 0;
    if (length > this.#window.length) this.#window = Buffer.alloc(length);
    else this.#window.fill(0);
  }

  #flush(): void {
    writeAllSync(this.fd, this.#window.subarray(0, this.#used), this.#start);
  }
}

/** Writes all bytes at a place of a file, in this thread. */
export function writeAllSync(fd: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
}
