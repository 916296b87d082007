/** Layers that are unpacked at a time: each may take a thread, with some 20 MB, and waits for the network at times. */
export const UNPACKING = 3;

/** Lets at most `places` tasks work at a time, in order of arrival. */
export class Limiter {
  readonly #waiting: (() => void)[] = [];

  constructor(private places: number) {}

  /** Waits for a place and gives it back when `work` is done. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.places > 0) this.places--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.places++;
      else next();
    }
  }
}
