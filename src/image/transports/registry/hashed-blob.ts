import { Verifier } from "../../verify/verifier.ts";
import type { NewBlob } from "../place.ts";

/** A blob on its way to a registry: checked, and hashed once however often parts of it have to be sent again. */
export class HashedBlob {
  readonly #verifier: Verifier | undefined;
  #hasher = new Bun.CryptoHasher("sha256");
  #seen = 0;
  #failure: { readonly reason: unknown } | undefined;

  constructor(private readonly blob: NewBlob) {
    this.#verifier = blob.expected === undefined ? undefined : new Verifier(blob.expected);
  }

  /** Bytes from the beginning that have been hashed. */
  get seen(): number {
    return this.#seen;
  }

  /** Bytes in all, where they are known. */
  get size(): number | undefined {
    return this.blob.expected?.size;
  }

  /** Set when the content itself failed, as opposed to the connection that it is sent over. */
  get failure(): { readonly reason: unknown } | undefined {
    return this.#failure;
  }

  /** The content from `offset`, which is not beyond what was read before; each chunk is good until the next is asked for. */
  async *read(offset: number): AsyncGenerator<Uint8Array> {
    if (this.#verifier === undefined) {
      this.#hasher = new Bun.CryptoHasher("sha256");
      this.#seen = 0;
    }
    const source = this.blob.open(offset, { lend: true })[Symbol.asyncIterator]();
    try {
      for (let at = offset; ; ) {
        const chunk = await this.#next(source);
        if (chunk === undefined) return;
        this.#hash(chunk.subarray(Math.min(chunk.length, Math.max(0, this.#seen - at))));
        at += chunk.length;
        yield chunk;
      }
    } finally {
      void source.return?.()?.catch(() => undefined);
    }
  }

  async #next(source: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
    try {
      const { value, done } = await source.next();
      return done === true ? undefined : value;
    } catch (reason) {
      this.#failure = { reason };
      throw reason;
    }
  }

  #hash(chunk: Uint8Array): void {
    this.#seen += chunk.length;
    try {
      if (this.#verifier === undefined) this.#hasher.update(chunk);
      else this.#verifier.update(chunk);
    } catch (reason) {
      this.#failure = { reason };
      throw reason;
    }
  }

  /** To be called once everything was sent; what the content turned out to be. */
  finish(): { readonly digest: string; readonly size: number } {
    const { expected } = this.blob;
    this.#verifier?.finish();
    return expected ?? { digest: `sha256:${this.#hasher.digest("hex")}`, size: this.#seen };
  }
}
