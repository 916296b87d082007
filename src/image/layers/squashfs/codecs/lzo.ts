import { byteAt, Output } from "./output.ts";

/** The distance that stands for the end. */
const END = 16_384;

/** Unpacks a block of LZO1X (Linux, Documentation/staging/lzo.rst, without the run-length extension of version 1). */
export function unpackLzo(input: Uint8Array, most: number): Buffer {
  return new Lzo(input, most).unpack();
}

class Lzo {
  readonly #output: Output;
  #at = 0;
  /** Literals that were copied last: 0 to 3 after a match, 4 for more of them. */
  #state = 0;

  constructor(
    private readonly input: Uint8Array,
    most: number,
  ) {
    this.#output = new Output(most);
  }

  unpack(): Buffer {
    const first = byteAt(this.input, 0);
    if (first > 17) {
      this.#at = 1;
      this.#copy(first - 17);
    }
    while (this.#step());
    return this.#output.content;
  }

  #next(): number {
    return byteAt(this.input, this.#at++);
  }

  #copy(count: number): void {
    this.#output.literals(this.input, this.#at, count);
    this.#at += count;
    this.#state = Math.min(count, 4);
  }

  /** A length in these bits, or where they are 0 in the bytes that follow. */
  #length(bits: number, most: number): number {
    if (bits !== 0) return bits;
    for (let sum = most; ; sum += 255) {
      const byte = this.#next();
      if (byte !== 0) return sum + byte;
    }
  }

  /** One instruction; whether there are more. */
  #step(): boolean {
    const code = this.#next();
    if (code >= 64) this.#near(code);
    else if (code >= 32) return this.#far(2 + this.#length(code & 31, 31), 1);
    else if (code >= 16) return this.#far(2 + this.#length(code & 7, 7), END + ((code & 8) << 11));
    else if (this.#state === 0) this.#copy(3 + this.#length(code, 15));
    else {
      const [count, least] = this.#state === 4 ? [3, 2049] : [2, 1];
      this.#match(count, (this.#next() << 2) + ((code >> 2) & 3) + least, code & 3);
    }
    return true;
  }

  #near(code: number): void {
    const count = code >= 128 ? 5 + ((code >> 5) & 3) : 3 + ((code >> 5) & 1);
    this.#match(count, (this.#next() << 3) + ((code >> 2) & 7) + 1, code & 3);
  }

  #far(count: number, least: number): boolean {
    const word = this.#next() | (this.#next() << 8);
    const distance = least + (word >> 2);
    if (least >= END && distance === END) return false;
    this.#match(count, distance, word & 3);
    return true;
  }

  #match(count: number, distance: number, literals: number): void {
    this.#output.repeat(distance, count);
    this.#copy(literals);
  }
}
