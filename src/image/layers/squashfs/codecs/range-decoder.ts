/** Of a probability: 11 bits, which move a 32nd part of the way each time. */
const BITS = 11;
const MOVE = 5;
const TOP = 2 ** 24;

/** Bits of an LZMA stream, each with the probabilities that it had so far (LZMA specification, "Range Decoder"). */
export class RangeDecoder {
  #range = 0xffff_ffff;
  #code = 0;
  #at = 0;
  #end = 0;
  #input: Uint8Array = new Uint8Array();

  constructor(
    /** One for each place where a bit can be expected. */
    readonly probabilities: Uint16Array,
  ) {}

  /** Begins with a stretch of the input. */
  begin(input: Uint8Array, from: number, end: number): void {
    if (end > input.length || end - from < 5 || input[from] !== 0) throw new Error("it does not begin as LZMA does");
    [this.#input, this.#at, this.#end, this.#range, this.#code] = [input, from + 1, end, 0xffff_ffff, 0];
    for (let count = 0; count < 4; count++) this.#code = ((this.#code << 8) | this.#next()) >>> 0;
  }

  #next(): number {
    if (this.#at >= this.#end) throw new Error("it ends too early");
    return this.#input[this.#at++] as number;
  }

  /** One bit, by the probability of this number. */
  bit(index: number): 0 | 1 {
    const probability = this.probabilities[index] as number;
    const bound = (this.#range >>> BITS) * probability;
    const isZero = this.#code < bound;
    if (isZero) {
      this.#range = bound;
      this.probabilities[index] = probability + ((2 ** BITS - probability) >> MOVE);
    } else {
      this.#range -= bound;
      this.#code -= bound;
      this.probabilities[index] = probability - (probability >> MOVE);
    }
    this.#normalize();
    return isZero ? 0 : 1;
  }

  #normalize(): void {
    if (this.#range >= TOP) return;
    this.#range = (this.#range << 8) >>> 0;
    this.#code = ((this.#code << 8) | this.#next()) >>> 0;
  }

  /** So many bits that are as likely as not, the highest first. */
  direct(count: number): number {
    let value = 0;
    for (let left = count; left > 0; left--) {
      this.#range >>>= 1;
      const isOne = this.#code >= this.#range;
      if (isOne) this.#code -= this.#range;
      value = value * 2 + (isOne ? 1 : 0);
      this.#normalize();
    }
    return value;
  }

  /** So many bits, the highest first, from the probabilities from `index` on. */
  tree(index: number, count: number): number {
    let place = 1;
    for (let left = count; left > 0; left--) place = (place << 1) | this.bit(index + place);
    return place - (1 << count);
  }

  /** The same with the lowest bit first. */
  reverseTree(index: number, count: number): number {
    let place = 1;
    let value = 0;
    for (let position = 0; position < count; position++) {
      const bit = this.bit(index + place);
      place = (place << 1) | bit;
      value |= bit << position;
    }
    return value;
  }
}
