import type { Output } from "./output.ts";

/** Bytes that are gathered at most before they are written. */
const LIMIT = 64 * 1024;

/**
 * Gathers small pieces that come fast into few large writes, in their order across both streams. What has been gathered is written
 * when it is much, when the other stream has its turn, and as soon as nothing more comes at once.
 */
export class GatheredOutput {
  #pieces: Uint8Array[] = [];
  #size = 0;
  #target: Output | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failure: unknown;
  #timer: Timer | undefined;

  /** Resolves at once, or when what was gathered has been taken. Throws what an earlier write threw. */
  async write(target: Output, data: Uint8Array): Promise<void> {
    if (this.#target !== target) this.#flush();
    this.#target = target;
    this.#pieces.push(data);
    this.#size += data.length;
    if (this.#size >= LIMIT) return this.end();
    this.#timer ??= setTimeout(() => this.#flush());
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Resolves when everything was taken. */
  async end(): Promise<void> {
    this.#flush();
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const [target, pieces] = [this.#target, this.#pieces];
    if (target === undefined || pieces.length === 0) return;
    this.#pieces = [];
    this.#size = 0;
    const data = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
    this.#writing = this.#writing
      .then(() => (this.#failure === undefined ? target.write(data ?? new Uint8Array()) : undefined))
      .catch((failure: unknown) => {
        this.#failure ??= failure;
      });
  }
}
