import { GalleyError } from "../../errors.ts";

/** Bytes that any compressed content may unpack to, however small it is. */
const FREE = 1 << 30;

/** Beyond those, bytes for each compressed byte. Programs and texts stay below 20; only runs of one byte come near. */
const RATIO = 200;

/** Bytes that no layer may unpack to. */
const MOST = 2 ** 40;

/** Bounds on what compressed content unpacks to, so that a few bytes cannot fill a disk. */
export class Expansion {
  #packed = 0;
  #unpacked = 0;

  constructor(
    private readonly limits: { readonly free?: number; readonly ratio?: number; readonly most?: number } = {},
  ) {}

  /** Passes the compressed bytes on and counts them. */
  async *counting(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      this.packed(chunk.length);
      yield chunk;
    }
  }

  /** Takes note of compressed bytes. */
  packed(length: number): void {
    this.#packed += length;
  }

  /** Takes note of bytes that came out; too many are `resource_exhausted`. */
  check(length: number): void {
    const { free = FREE, ratio = RATIO, most = MOST } = this.limits;
    this.#unpacked += length;
    if (this.#unpacked > most) throw bomb(`it unpacks to more than ${most} bytes`);
    if (this.#unpacked <= Math.max(free, this.#packed * ratio)) return;
    throw bomb(
      `${this.#packed} compressed bytes unpack to more than ${this.#unpacked - length}, over ${ratio} times as many`,
    );
  }
}

function bomb(message: string): GalleyError {
  return new GalleyError("resource_exhausted", message, {
    op: "decompress",
    hint: "content that is nearly all of one byte is refused: it may be made to fill the disk",
  });
}
