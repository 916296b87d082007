import { RollSum } from "./roll-sum.ts";

/** A part of a file's content. */
export interface Chunk {
  readonly bytes: Uint8Array;
  /** Nothing but zeros, and many of them. */
  readonly zeros: boolean;
}

/** So many zeros in a row are a chunk of their own, 1 KiB. */
const HOLE = 1 << 10;
/** No chunk is longer, 4 MiB: each is held in memory. */
const LONGEST = 4 << 20;
/** After so many the sum does not change any more: all that it is of are zeros. */
const FORGOTTEN = 128;

/**
 * Divides a file's content where its bytes say so, and where containers/storage does: what two versions of a file have in common becomes the
 * same chunks, whoever wrote them. Chunks are valid until the call returns.
 */
export class Chunker {
  readonly #sum = new RollSum();
  #pending = new Uint8Array(1 << 16);
  #length = 0;
  /** Zeros that were seen last: whether they are a hole is known at their end. */
  #zeros = 0;

  constructor(private readonly emit: (chunk: Chunk) => void) {}

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (byte === 0) this.#zeros++;
      else {
        if (this.#zeros > 0) this.#settle();
        this.#take(byte);
      }
    }
  }

  /** The content is at its end. */
  finish(): void {
    this.#settle();
    this.#cut();
  }

  #settle(): void {
    const count = this.#zeros;
    this.#zeros = 0;
    if (count >= HOLE) this.#hole(count);
    else for (let zero = 0; zero < count; zero++) this.#take(0);
  }

  #hole(count: number): void {
    this.#cut();
    for (let zero = 0; zero < Math.min(count, FORGOTTEN); zero++) this.#sum.roll(0);
    for (let left = count; left > 0; left -= LONGEST) {
      this.emit({ bytes: new Uint8Array(Math.min(left, LONGEST)), zeros: true });
    }
  }

  #take(byte: number): void {
    if (this.#length === this.#pending.length) this.#grow();
    this.#pending[this.#length++] = byte;
    if (this.#sum.roll(byte) || this.#length === LONGEST) this.#cut();
  }

  #grow(): void {
    const longer = new Uint8Array(this.#length * 2);
    longer.set(this.#pending);
    this.#pending = longer;
  }

  #cut(): void {
    if (this.#length > 0) this.emit({ bytes: this.#pending.subarray(0, this.#length), zeros: false });
    this.#length = 0;
  }
}
