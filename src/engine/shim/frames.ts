/** The shim's frames: docs/recipes.md, "The shim's socket". Little-endian. */

/** Most bytes that one frame carries. */
export const PAYLOAD_LIMIT = 65536;
const HEAD = 8;
/** What is not output is small. */
const SMALL_LIMIT = 4096;

export interface ShimExit {
  /** 128 and the signal's number where it was killed. */
  readonly code: number;
  readonly signal: number;
  readonly oomKilled: boolean;
}

/** What a shim says. */
export interface FrameHandlers {
  output(stream: 1 | 2, data: Uint8Array): void;
  result(errno: number): void;
  exit(exit: ShimExit): void;
}

export const request = {
  attach: 0x41,
  input: 0x49,
  closeStdin: 0x43,
  window: 0x57,
  kill: 0x4b,
  pause: 0x50,
  resume: 0x55,
  noRestart: 0x4e,
  exit: 0x58,
} as const;

export const attachFlag = { stdin: 1, output: 2 } as const;
export const killFlag = { noRestart: 1, all: 2 } as const;

/** One frame; the payload has at most {@link PAYLOAD_LIMIT} bytes. */
export function frame(type: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(HEAD + payload.length);
  bytes[0] = type;
  new DataView(bytes.buffer).setUint32(4, payload.length, true);
  bytes.set(payload, HEAD);
  return bytes;
}

/** A payload of 32-bit numbers. */
export function words(...numbers: readonly number[]): Uint8Array {
  return new Uint8Array(new Uint32Array(numbers).buffer);
}

/** A payload of 16-bit numbers. */
export function shorts(...numbers: readonly number[]): Uint8Array {
  return new Uint8Array(new Uint16Array(numbers).buffer);
}

/** Takes frames apart as they come in. Output is handed on piece by piece, without waiting for the end of its frame. */
export class FrameReader {
  #pending: Uint8Array = new Uint8Array(0);
  #outputLeft = 0;
  #stream: 1 | 2 = 1;

  constructor(private readonly handlers: FrameHandlers) {}

  feed(chunk: Uint8Array): void {
    let bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    for (let taken = this.#take(bytes); taken > 0; taken = this.#take(bytes)) bytes = bytes.subarray(taken);
    this.#pending = bytes;
  }

  /** Takes one piece off the front; 0 where it is not whole yet. */
  #take(bytes: Uint8Array): number {
    if (this.#outputLeft > 0) return this.#takeOutput(bytes);
    if (bytes.length < HEAD) return 0;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = view.getUint32(4, true);
    if (bytes[0] === 0x4f) {
      this.#outputLeft = size;
      this.#stream = bytes[1] === 2 ? 2 : 1;
      return HEAD;
    }
    if (size > SMALL_LIMIT) throw new Error("the shim sent what is no frame");
    if (bytes.length < HEAD + size) return 0;
    this.#handle(bytes[0] ?? 0, view);
    return HEAD + size;
  }

  #takeOutput(bytes: Uint8Array): number {
    const piece = bytes.subarray(0, this.#outputLeft);
    this.#outputLeft -= piece.length;
    if (piece.length > 0) this.handlers.output(this.#stream, piece);
    return piece.length;
  }

  #handle(type: number, view: DataView): void {
    if (type === 0x52) this.handlers.result(view.getInt32(HEAD, true));
    if (type !== request.exit) return;
    const [code, signal, oom] = [0, 4, 8].map((at) => view.getUint32(HEAD + at, true));
    this.handlers.exit({ code: code ?? 0, signal: signal ?? 0, oomKilled: oom === 1 });
  }
}
