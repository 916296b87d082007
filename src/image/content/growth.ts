/** Words of the shared memory: the first changes when there is news, and is what a thread sleeps on. */
const [TICK, STATE, ASIDE] = [0, 1, 2] as const;
const [COMPLETE, STOPPED] = [1, 2] as const;

/** Where the file's length lies, behind the words. */
const LENGTH_AT = 16;

/**
 * How far a file has grown, told by the thread that writes it to one that reads it, in memory that both have. The reader sleeps in a system
 * call while it waits: it has nothing else to do.
 */
export class Growth {
  readonly #words: Int32Array;
  readonly #length: BigInt64Array;

  /** @param memory of a growth that another thread made */
  constructor(readonly memory = new SharedArrayBuffer(24)) {
    this.#words = new Int32Array(memory, 0, 3);
    this.#length = new BigInt64Array(memory, LENGTH_AT, 1);
  }

  /** The file has so many bytes now. */
  reached(length: number): void {
    Atomics.store(this.#length, 0, BigInt(length));
    this.#tell();
  }

  /** The file is whole, and what it should be. */
  complete(): void {
    this.#end(COMPLETE);
  }

  /** The file will not be whole, or nobody wants it any more. */
  stop(): void {
    this.#end(STOPPED);
  }

  /** Asks the reader to leave the processors to others, or not to any more. */
  stepAside(aside: boolean): void {
    Atomics.store(this.#words, ASIDE, aside ? 1 : 0);
  }

  get aside(): boolean {
    return Atomics.load(this.#words, ASIDE) === 1;
  }

  get stopped(): boolean {
    return Atomics.load(this.#words, STATE) === STOPPED;
  }

  /** Waits for more than `position` bytes. @returns the file's length; `undefined` at the end of a whole file, or where it stopped */
  beyond(position: number): number | undefined {
    for (;;) {
      const tick = Atomics.load(this.#words, TICK);
      const state = Atomics.load(this.#words, STATE);
      const length = Number(Atomics.load(this.#length, 0));
      if (state === STOPPED) return undefined;
      if (length > position) return length;
      if (state === COMPLETE) return undefined;
      Atomics.wait(this.#words, TICK, tick);
    }
  }

  /** What stopped stays so. */
  #end(state: number): void {
    if (!this.stopped) Atomics.store(this.#words, STATE, state);
    this.#tell();
  }

  #tell(): void {
    Atomics.add(this.#words, TICK, 1);
    Atomics.notify(this.#words, TICK);
  }
}
