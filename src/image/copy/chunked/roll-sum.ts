/** Bytes that the sum is of. */
const WINDOW = 64;
/** What is added to each, so that a run of zeros has a sum too. */
const OFFSET = 31;
/** A boundary is where the lower bits of the sum are all set: once in 64 KiB on average. */
const BOUNDARY = 0xffff;

/**
 * The rolling checksum that zstd:chunked finds boundaries with, bup's: it depends on the last 64 bytes alone, so that the same content has
 * the same boundaries wherever in a file it lies.
 */
export class RollSum {
  readonly #window = new Uint8Array(WINDOW);
  #at = 0;
  #first = WINDOW * OFFSET;
  #second = WINDOW * (WINDOW - 1) * OFFSET;

  /** Takes one byte; whether a boundary lies behind it. */
  roll(byte: number): boolean {
    const dropped = this.#window[this.#at] ?? 0;
    this.#window[this.#at] = byte;
    this.#at = (this.#at + 1) % WINDOW;
    this.#first = (this.#first + byte - dropped) | 0;
    this.#second = (this.#second + this.#first - WINDOW * (dropped + OFFSET)) | 0;
    return (this.#second & BOUNDARY) === BOUNDARY;
  }
}
