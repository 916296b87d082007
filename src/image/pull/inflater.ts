import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import { damaged } from "./format.ts";

/** What node:zlib's streams decompress with. */
interface Native {
  init(...settings: unknown[]): unknown;
  writeSync(
    flush: number,
    from: Uint8Array,
    at: number,
    length: number,
    to: Uint8Array,
    offset: number,
    room: number,
  ): void;
  close(): void;
  onerror: (message: string) => void;
}

/** What node:zlib says to one of each format when it begins, and at the end of the input. */
const FORMATS = {
  gzip: {
    stream: () => createGunzip(),
    mode: constants.GUNZIP,
    settings: () => [0, constants.Z_DEFAULT_COMPRESSION, 8, constants.Z_DEFAULT_STRATEGY],
    end: constants.Z_FINISH,
  },
  zstd: {
    stream: () => createZstdDecompress(),
    mode: constants.ZSTD_DECOMPRESS,
    settings: () => [new Uint32Array(constants.ZSTD_d_windowLogMax + 1).fill(-1), undefined],
    end: constants.ZSTD_e_end,
  },
} as const;

/** What one step took and made, in bytes. */
export interface Step {
  readonly taken: number;
  readonly made: number;
}

/**
 * Decompresses in this thread, from one buffer into another: what comes out is still in the processor's nearest memory when it is hashed, read
 * and written, and no thread waits for another; that takes half the time of the streams of node:zlib. What they stand on is used here, which is not in
 * their documentation: decompress-sync.test.ts makes sure that it is what it was.
 */
export class Inflater implements Disposable {
  readonly #native: Native;
  readonly #left = new Uint32Array(2);
  #failure: string | undefined;

  constructor(private readonly format: keyof typeof FORMATS) {
    const { stream, mode, settings } = FORMATS[format];
    // The types have nothing of what is not documented.
    const model = stream() as unknown as { _handle: { constructor: new (mode: number) => Native }; close(): void };
    this.#native = new model._handle.constructor(mode);
    model.close();
    this.#native.onerror = (message) => (this.#failure = message);
    this.#native.init(...settings(), this.#left, () => undefined, undefined);
  }

  /**
   * Goes on until the input is used up or the output is full. Damaged input is `data_loss`.
   * @param from `undefined` at the end of the input
   */
  step(from: Uint8Array | undefined, to: Uint8Array): Step {
    const input = from ?? new Uint8Array();
    const flush = from === undefined ? FORMATS[this.format].end : 0;
    this.#native.writeSync(flush, input, 0, input.length, to, 0, to.length);
    if (this.#failure !== undefined) throw damaged(this.format, new Error(this.#failure));
    return { made: to.length - (this.#left[0] ?? 0), taken: input.length - (this.#left[1] ?? 0) };
  }

  [Symbol.dispose](): void {
    this.#native.close();
  }
}
