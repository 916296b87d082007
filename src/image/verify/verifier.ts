import { GalleyError } from "../../errors.ts";
import { parseDigest } from "../digest.ts";

/** What content must be: its digest, and its size in bytes where that is known. */
export interface Expected {
  readonly digest: string;
  readonly size?: number;
}

/**
 * Checks content against its descriptor as it goes by. Everything that enters the store passes one of these; content with a
 * wrong size or digest is `data_loss`, and is found too long before more than the promised bytes are taken.
 */
export class Verifier {
  #hasher: Bun.CryptoHasher;
  #seen = 0;

  constructor(readonly expected: Expected) {
    this.#hasher = new Bun.CryptoHasher(parseDigest(expected.digest).algorithm);
  }

  /** Bytes that went by. */
  get seen(): number {
    return this.#seen;
  }

  update(chunk: Uint8Array): void {
    const size = this.expected.size;
    this.#seen += chunk.length;
    if (size !== undefined && this.#seen > size) throw this.#fault(`it is longer than the ${size} bytes announced`);
    this.#hasher.update(chunk);
  }

  /** To be called once, after the last byte. */
  finish(): void {
    const { digest, size } = this.expected;
    if (size !== undefined && this.#seen !== size) {
      throw this.#fault(`it ended after ${this.#seen} of the ${size} bytes announced`);
    }
    const found = `${parseDigest(digest).algorithm}:${this.#hasher.digest("hex")}`;
    if (found !== digest) throw this.#fault(`its digest is ${found}`);
  }

  #fault(what: string): GalleyError {
    return new GalleyError("data_loss", `the content is not what its descriptor says: ${what}`, {
      op: "verify",
      subject: this.expected.digest,
      hint: "it was altered or damaged on its way here or where it comes from; nothing of it was kept",
    });
  }
}
