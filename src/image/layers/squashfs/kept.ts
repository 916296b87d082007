/** The last few things that were made, by number: the oldest makes room for the newest. */
export class Kept<T> {
  readonly #things = new Map<number, T>();

  constructor(private readonly room: number) {}

  /** What is kept under this number, or else is made and kept. */
  get(key: number, make: () => T): T {
    const known = this.#things.get(key);
    if (known !== undefined) return known;
    const made = make();
    for (const oldest of this.#things.keys()) {
      if (this.#things.size < this.room) break;
      this.#things.delete(oldest);
    }
    this.#things.set(key, made);
    return made;
  }
}
