import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { toGalleyError } from "../../../errors.ts";
import { gathered } from "../../content/gathered.ts";
import { Verifier } from "../../verify/verifier.ts";
import type { NewBlob } from "../place.ts";
import type { TransportOptions } from "../transport.ts";
import { writeAll } from "./raw-file.ts";

/** What a blob turned out to be. */
export interface Written {
  readonly digest: string;
  readonly size: number;
}

/** Where the files of an image are written: a directory or an archive. Names are relative, with slashes. */
export interface FileSink {
  /** Writes a blob, checked, to the file that its digest names; gives its digest and size. */
  writeBlob(blob: NewBlob, pathOf: (digest: string) => string, options?: TransportOptions): Promise<Written>;
  /** Writes a small file. */
  put(path: string, bytes: Uint8Array): Promise<void>;
  /** Everything is written. */
  finish(): Promise<void>;
  /** Lets go of everything; what is not finished is removed. */
  close(): Promise<void>;
}

/** Hashes a blob as it goes by, and checks it where it is known what it must be. */
export async function pump(
  blob: NewBlob,
  write: (chunk: Uint8Array, at: number) => Promise<void>,
  { signal }: TransportOptions = {},
): Promise<Written> {
  const verifier = blob.expected === undefined ? undefined : new Verifier(blob.expected);
  const hasher = verifier ?? new Bun.CryptoHasher("sha256");
  let size = 0;
  // One chunk is on its way to the file, in another thread, while the next one comes and is hashed.
  let writing: Promise<void> = Promise.resolve();
  try {
    for await (const chunk of gathered(blob.open(0, { lend: true }))) {
      signal?.throwIfAborted();
      hasher.update(chunk);
      await writing;
      writing = write(chunk, size);
      writing.catch(() => undefined); // Whoever waits for it next is told.
      size += chunk.length;
    }
  } finally {
    await writing;
  }
  verifier?.finish();
  if (hasher instanceof Bun.CryptoHasher) return { digest: `sha256:${hasher.digest("hex")}`, size };
  return { digest: blob.expected?.digest ?? "", size };
}

/** A directory of the host. Each file appears under its name when it is complete. */
export class DirectorySink implements FileSink {
  readonly #partial = new Set<string>();

  constructor(private readonly directory: string) {}

  async writeBlob(blob: NewBlob, pathOf: (digest: string) => string, options?: TransportOptions): Promise<Written> {
    const temporary = this.#temporary();
    const fd = attempt("write", temporary, () => openSync(temporary, "wx", 0o644));
    try {
      const write = (chunk: Uint8Array, at: number) =>
        writeAll(fd, chunk, at).catch((failure: unknown) => {
          throw toGalleyError(failure, { op: "write", subject: temporary });
        });
      const written = await pump(blob, write, options);
      this.#settle(temporary, pathOf(written.digest));
      return written;
    } catch (failure) {
      rmSync(temporary, { force: true });
      throw failure;
    } finally {
      closeSync(fd);
    }
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    const temporary = this.#temporary();
    attempt("write", temporary, () => writeFileSync(temporary, bytes, { flag: "wx", mode: 0o644 }));
    this.#settle(temporary, path);
  }

  #temporary(): string {
    attempt("make", this.directory, () => mkdirSync(this.directory, { recursive: true }));
    const path = join(this.directory, `.partial-${crypto.randomUUID()}`);
    this.#partial.add(path);
    return path;
  }

  #settle(temporary: string, path: string): void {
    const place = join(this.directory, path);
    attempt("write", place, () => {
      mkdirSync(dirname(place), { recursive: true });
      renameSync(temporary, place);
    });
    this.#partial.delete(temporary);
  }

  async finish(): Promise<void> {}

  async close(): Promise<void> {
    for (const path of this.#partial) rmSync(path, { force: true });
  }
}

function attempt<T>(op: string, subject: string, work: () => T): T {
  try {
    return work();
  } catch (failure) {
    throw toGalleyError(failure, { op, subject });
  }
}
