import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { join } from "node:path";
import { GalleyError, toGalleyError } from "../../../errors.ts";
import { readCapped, tooLarge } from "../../verify/read.ts";
import { REMEDY } from "../../verify/remedy.ts";
import { readRange } from "./raw-file.ts";

/** Named files that an image is kept in: a directory, or an archive that was looked through. Names are relative, with slashes. */
export interface FileSet {
  /** As people wrote it, for messages. */
  readonly name: string;
  /** Bytes of a file, or `undefined` where there is none of that name. Anything but a regular file is refused. */
  size(path: string): Promise<number | undefined>;
  /** A file from `offset` to its end; `not_found` where there is none. */
  read(path: string, offset?: number): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** A small file as a whole; one that is larger than `cap` bytes is refused before it is read. */
export async function readSmall(files: FileSet, path: string, cap: number): Promise<Uint8Array> {
  const size = await files.size(path);
  if (size === undefined) throw noFile(files, path);
  if (size > cap) throw tooLarge(`${path} in ${files.name}`, cap);
  return readCapped(files.read(path), cap, `${path} in ${files.name}`);
}

/** A small file as JSON; `data_loss` where it is none. */
export async function readJson(files: FileSet, path: string, cap: number): Promise<unknown> {
  const bytes = await readSmall(files, path, cap);
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    throw new GalleyError("data_loss", `${path} is not valid JSON`, { op: "read", subject: files.name, hint: REMEDY });
  }
}

/** The failure for a file that is not there. */
export function noFile(files: FileSet, path: string): GalleyError {
  return new GalleyError("not_found", `it holds no ${path}`, { op: "read", subject: files.name });
}

/** The files below a directory of the host. */
export class DirectoryFiles implements FileSet {
  constructor(
    readonly name: string,
    private readonly directory: string,
  ) {}

  async size(path: string): Promise<number | undefined> {
    const fd = this.#open(path);
    if (fd === undefined) return undefined;
    try {
      return fstatSync(fd).size;
    } finally {
      closeSync(fd);
    }
  }

  async *read(path: string, offset = 0): AsyncGenerator<Uint8Array> {
    const fd = this.#open(path);
    if (fd === undefined) throw noFile(this, path);
    try {
      yield* readRange(fd, offset, Number.MAX_SAFE_INTEGER);
    } finally {
      closeSync(fd);
    }
  }

  async close(): Promise<void> {}

  /** Without waiting for the other end of what turns out to be a pipe. */
  #open(path: string): number | undefined {
    const place = join(this.directory, path);
    try {
      const fd = openSync(place, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
      if (fstatSync(fd).isFile()) return fd;
      closeSync(fd);
    } catch (failure) {
      const fault = toGalleyError(failure, { op: "read", subject: place });
      if (fault.code === "not_found" || (failure as { code?: unknown }).code === "ENOTDIR") return undefined;
      throw fault;
    }
    throw new GalleyError("data_loss", "it is not a regular file", { op: "read", subject: place, hint: REMEDY });
  }
}
