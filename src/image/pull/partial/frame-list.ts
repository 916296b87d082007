/** Compressed bytes of a blob that can be read alone: a chunk of a file, or what lies between two files. */
export interface Frame {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** Stands for what is in it: frames with the same key are the same before they are compressed, but for a chance in millions of millions. */
  readonly key: number;
}

/** Frames that follow one another from a blob's first byte on, in 16 bytes each: there may be hundreds of thousands. */
export class FrameList implements Iterable<Frame> {
  readonly #ends = new Numbers();
  readonly #keys = new Numbers();

  constructor(frames: Iterable<Frame>) {
    for (const { end, key } of frames) {
      this.#ends.push(end);
      this.#keys.push(key);
    }
  }

  *[Symbol.iterator](): Generator<Frame> {
    for (let index = 0, start = 0; index < this.#ends.length; index++) {
      const end = this.#ends.at(index);
      yield { start, end, key: this.#keys.at(index) };
      start = end;
    }
  }
}

/** Numbers that take no more memory than they must. */
export class Numbers {
  #numbers = new Float64Array(1024);
  length = 0;

  push(number: number): void {
    if (this.length === this.#numbers.length) {
      const longer = new Float64Array(this.length * 2);
      longer.set(this.#numbers);
      this.#numbers = longer;
    }
    this.#numbers[this.length++] = number;
  }

  at(index: number): number {
    return this.#numbers[index] ?? Number.NaN;
  }
}
