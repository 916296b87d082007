import { closeSync, fstatSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { aboutSubject, toGalleyError } from "../../../errors.ts";
import { decompressArchive } from "../../pull/decompress-archive.ts";
import type { TransportOptions } from "../transport.ts";
import { type FileSet, noFile } from "./file-set.ts";
import { readAt, readRange, writeAll } from "./raw-file.ts";
import { scratchFile } from "./scratch-file.ts";
import { TarIndex } from "./tar-index.ts";

/** The files in a tar archive on disk, read where they lie. */
export class ArchiveFiles implements FileSet {
  private constructor(
    readonly name: string,
    private readonly fd: number,
    private readonly index: TarIndex,
  ) {}

  async size(path: string): Promise<number | undefined> {
    return this.index.find(path)?.size;
  }

  async *read(path: string, offset = 0): AsyncGenerator<Uint8Array> {
    const found = this.index.find(path);
    if (found === undefined) throw noFile(this, path);
    yield* readRange(this.fd, found.offset + Math.min(offset, found.size), found.offset + found.size);
  }

  async close(): Promise<void> {
    closeSync(this.fd);
  }

  /** Opens an archive by its path; `-` is standard input. */
  static async open(path: string, options: ArchiveOptions = {}): Promise<ArchiveFiles> {
    let fd: number;
    try {
      fd = path === "-" ? 0 : openSync(path, "r");
    } catch (failure) {
      throw toGalleyError(failure, { op: "open archive", subject: path });
    }
    return ArchiveFiles.ofDescriptor(fd, path === "-" ? "standard input" : path, options);
  }

  /**
   * Takes over an open descriptor. What is compressed, or can only be read once, is put in a temporary file first, without a
   * name, so that nothing remains of it.
   */
  static async ofDescriptor(fd: number, name: string, options: ArchiveOptions = {}): Promise<ArchiveFiles> {
    const kind = fstatSync(fd);
    const direct = kind.isFile() && !isCompressed(await readAt(fd, 0, 4));
    try {
      if (direct) return new ArchiveFiles(name, fd, await TarIndex.read(fd, kind.size));
      return await ArchiveFiles.ofStream(kind.isFile() ? readRange(fd, 0, kind.size) : stream(fd), name, options);
    } catch (failure) {
      if (direct && fd > 2) closeSync(fd);
      throw aboutSubject(failure, "read archive", name);
    } finally {
      if (!direct && fd > 2) closeSync(fd);
    }
  }

  /** An archive that comes as a stream, compressed or not. */
  static async ofStream(
    source: AsyncIterable<Uint8Array>,
    name: string,
    { signal, scratch = tmpdir() }: ArchiveOptions = {},
  ): Promise<ArchiveFiles> {
    const fd = scratchFile(scratch, "galley-archive");
    try {
      let size = 0;
      for await (const chunk of decompressArchive(source)) {
        signal?.throwIfAborted();
        await writeAll(fd, chunk, size);
        size += chunk.length;
      }
      return new ArchiveFiles(name, fd, await TarIndex.read(fd, size));
    } catch (failure) {
      closeSync(fd);
      throw failure;
    }
  }
}

export interface ArchiveOptions extends TransportOptions {
  /** Directory for what has to be put aside. */
  readonly scratch?: string | undefined;
}

function isCompressed(head: Uint8Array): boolean {
  const magics = ["1f8b", "28b52ffd", "fd377a58", "425a68"];
  const hex = Buffer.from(head).toString("hex");
  return magics.some((magic) => hex.startsWith(magic)) || /^5.2a4d18/.test(hex);
}

async function* stream(fd: number): AsyncGenerator<Uint8Array> {
  for await (const chunk of Bun.file(fd).stream()) yield chunk;
}
