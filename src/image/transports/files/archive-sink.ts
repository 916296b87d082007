import { closeSync } from "node:fs";
import { tmpdir } from "node:os";
import { tarEnd, tarHeader, tarPadding } from "../../layers/tar/write-header.ts";
import { Limiter } from "../../pull/limiter.ts";
import type { NewBlob } from "../place.ts";
import type { TransportOptions } from "../transport.ts";
import { type FileSink, pump, type Written } from "./file-sink.ts";
import type { Output } from "./output.ts";
import { readRange, writeAll } from "./raw-file.ts";
import { scratchFile } from "./scratch-file.ts";

/** Bytes of a header of a short name. */
const HEADER = 512;

/**
 * A tar archive. Files follow one another, so one is written at a time. The size of a file stands before it: where it is not known
 * yet, it is put in afterwards, or, where the output cannot go back, the file waits in the temporary directory.
 */
export class ArchiveSink implements FileSink {
  readonly #turn = new Limiter(1);
  readonly #written = new Set<string>();
  readonly #directories = new Set<string>();
  #position = 0;

  constructor(
    private readonly output: Output,
    private readonly scratch: string = tmpdir(),
  ) {}

  writeBlob(blob: NewBlob, pathOf: (digest: string) => string, options: TransportOptions = {}): Promise<Written> {
    const { expected } = blob;
    if (expected !== undefined) return this.#turn.run(() => this.#known(blob, expected, pathOf, options));
    if (this.output.patch !== undefined) return this.#turn.run(() => this.#patched(blob, pathOf, options));
    return this.#spooled(blob, pathOf, options);
  }

  async #known(
    blob: NewBlob,
    expected: Written,
    pathOf: (digest: string) => string,
    options: TransportOptions,
  ): Promise<Written> {
    const path = pathOf(expected.digest);
    if (this.#written.has(path)) return expected;
    await this.#begin(path, expected.size);
    const written = await pump(blob, (chunk) => this.#write(chunk), options);
    await this.#write(tarPadding(written.size));
    return written;
  }

  async #patched(blob: NewBlob, pathOf: (digest: string) => string, options: TransportOptions): Promise<Written> {
    const sample = pathOf(`sha256:${"0".repeat(64)}`);
    await this.#parents(sample);
    const start = this.#position;
    await this.#write(new Uint8Array(HEADER));
    const written = await pump(blob, (chunk) => this.#write(chunk), options);
    await this.#write(tarPadding(written.size));
    const path = pathOf(written.digest);
    this.#written.add(path);
    await this.output.patch?.(start, header(path, written.size));
    return written;
  }

  async #spooled(blob: NewBlob, pathOf: (digest: string) => string, options: TransportOptions): Promise<Written> {
    const fd = scratchFile(this.scratch, "galley-spool");
    try {
      const written = await pump(blob, (chunk, at) => writeAll(fd, chunk, at), options);
      const open = () => readRange(fd, 0, written.size);
      return await this.#turn.run(() => this.#known({ ...blob, expected: written, open }, written, pathOf, options));
    } finally {
      closeSync(fd);
    }
  }

  put(path: string, bytes: Uint8Array): Promise<void> {
    return this.#turn.run(async () => {
      if (this.#written.has(path)) return;
      await this.#begin(path, bytes.length);
      await this.#write(bytes);
      await this.#write(tarPadding(bytes.length));
    });
  }

  async #begin(path: string, size: number): Promise<void> {
    await this.#parents(path);
    this.#written.add(path);
    await this.#write(header(path, size));
  }

  /** Some readers want directories to come before what is in them. */
  async #parents(path: string): Promise<void> {
    const parts = path.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      const name = parts.slice(0, depth).join("/");
      if (this.#directories.has(name)) continue;
      this.#directories.add(name);
      await this.#write(tarHeader({ name, type: "directory", mode: 0o755 }));
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#position += bytes.length;
    await this.output.write(bytes);
  }

  async finish(): Promise<void> {
    await this.#write(tarEnd());
    await this.output.finish();
  }

  async close(): Promise<void> {
    await this.output.close();
  }
}

/** Largest size that eleven octal digits can say. */
const OCTAL = 0o77777777777;

/** Always one block, so that it can be put in afterwards: a size beyond 8 GiB is in base 256, as GNU, star and Go have it. */
function header(path: string, size: number): Uint8Array {
  const block = Buffer.from(tarHeader({ name: path, type: "file", mode: 0o644, size: Math.min(size, OCTAL) }));
  if (size <= OCTAL) return block;
  block.fill(0, 124, 136);
  block[124] = 0x80;
  block.writeBigUInt64BE(BigInt(size), 128);
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}
