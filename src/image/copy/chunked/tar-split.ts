import type { Crc64 } from "./crc64.ts";

/** What of an archive is compressed at a time, in bytes of text. */
const PIECE = 1 << 20;

/**
 * Everything of an archive but the content of its files, as tar-split writes it: one JSON document a line, `type` 2 with raw bytes, 1 with a
 * file's name, size and CRC-64. With the files, the archive can be made again from it byte for byte.
 */
export class TarSplit {
  #lines: string[] = [];
  #waiting = 0;
  #position = 0;
  readonly #frames: Buffer[] = [];
  #size = 0;

  constructor(private readonly frame: (bytes: Uint8Array) => Buffer) {}

  /** Bytes of the archive that are no file's content. */
  segment(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#add({ type: 2, payload: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64") });
  }

  /** An entry, behind its header; only those with content have a sum. */
  file(name: string, size: number, sum: Crc64 | undefined): void {
    const content = { ...(size === 0 ? {} : { size }), payload: sum?.digest().toString("base64") ?? null };
    this.#add({ type: 1, name, ...content });
  }

  #add(entry: object): void {
    const line = `${JSON.stringify({ ...entry, position: this.#position++ })}\n`;
    this.#lines.push(line);
    this.#waiting += line.length;
    if (this.#waiting >= PIECE) this.#flush();
  }

  #flush(): void {
    const bytes = Buffer.from(this.#lines.join(""));
    this.#size += bytes.length;
    this.#frames.push(this.frame(bytes));
    this.#lines = [];
    this.#waiting = 0;
  }

  /** Compressed, and how many bytes of text it is. */
  finish(): { readonly bytes: Buffer; readonly size: number } {
    this.#flush();
    return { bytes: Buffer.concat(this.#frames), size: this.#size };
  }
}
