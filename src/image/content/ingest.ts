import { closeSync, constants, ftruncateSync, openSync, read, renameSync, rmSync, statSync, write } from "node:fs";
import { join } from "node:path";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { parseDigest } from "../digest.ts";
import { Verifier } from "../verify/verifier.ts";
import { CHUNK, type ContentStore } from "./content-store.ts";
import { Growth } from "./growth.ts";

/** Digest and size of what is to come; the size is needed to know a finished file from a partial one. */
export interface IngestTarget {
  readonly digest: string;
  readonly size: number;
}

/**
 * A blob on its way into the store. Bytes are appended to a file named after the digest, so that an interrupted download is
 * continued by whoever wants the blob next; and the file can be read while it grows ({@link Ingest.follow}), so that unpacking
 * neither waits for the download nor slows it, and no byte waits in memory.
 *
 * Writes go to explicit offsets: should two processes ever write one blob, they write the same bytes to the same places.
 */
export class Ingest {
  #verifier: Verifier;
  #wake: (() => void)[] = [];
  #state: "open" | "complete" | "failed" = "open";
  #failure: unknown;
  #resumedFrom = 0;
  #written = 0;
  #writing: Promise<void> = Promise.resolve();
  #growth: Growth | undefined;

  private constructor(
    private readonly store: ContentStore,
    readonly target: IngestTarget,
    private readonly path: string,
    private readonly fd: number,
  ) {
    this.#verifier = new Verifier(target);
  }

  /** Opens or resumes the blob's partial file. What is there already is hashed first. */
  static async open(store: ContentStore, target: IngestTarget, signal?: AbortSignal): Promise<Ingest> {
    store.prepare();
    const path = partialPath(store, target.digest);
    const ingest = new Ingest(store, target, path, openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600));
    try {
      await ingest.#resume(signal);
      return ingest;
    } catch (failure) {
      await ingest.fail(failure, { keep: true });
      throw failure;
    }
  }

  async #resume(signal?: AbortSignal): Promise<void> {
    const present = statSync(this.path).size;
    if (present > this.target.size) ftruncateSync(this.fd, 0);
    else if (present > 0) for await (const chunk of readUpTo(this.path, present, signal)) this.#verifier.update(chunk);
    this.#written = this.#verifier.seen;
    this.#resumedFrom = this.#written;
  }

  /** Bytes that an earlier download left. */
  get resumedFrom(): number {
    return this.#resumedFrom;
  }

  /** How far the file is, for a thread that reads it. */
  get growth(): Growth {
    if (this.#growth !== undefined) return this.#growth;
    this.#growth = new Growth();
    this.#growth.reached(this.#written);
    if (this.#state === "complete") this.#growth.complete();
    if (this.#state === "failed") this.#growth.stop();
    return this.#growth;
  }

  /** Why there will be no blob; `undefined` while there may be one. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Bytes that are in the file. */
  get offset(): number {
    return this.#written;
  }

  /**
   * Appends; more than the target's size is `data_loss`. A full disk is `resource_exhausted`. Resolves when the chunk before is
   * written: one chunk is on its way to the file, in another thread, while the next one comes from the network.
   */
  async write(chunk: Uint8Array): Promise<void> {
    const start = this.#verifier.seen;
    this.#verifier.update(chunk);
    await this.#writing;
    this.#writing = this.#append(chunk, start);
    this.#writing.catch(() => undefined); // Whoever waits for it next is told.
  }

  async #append(chunk: Uint8Array, start: number): Promise<void> {
    try {
      for (let done = 0; done < chunk.length; ) done += await writeAt(this.fd, chunk.subarray(done), start + done);
    } catch (failure) {
      throw toGalleyError(failure, { op: "write", subject: this.path });
    }
    this.#written = start + chunk.length;
    this.#growth?.reached(this.#written);
    this.#notify();
  }

  /** Checks the whole and puts it in place. */
  async commit(): Promise<void> {
    await this.#writing;
    this.#verifier.finish();
    renameSync(this.path, this.store.pathOf(this.target.digest));
    this.#state = "complete";
    this.#growth?.complete();
    closeSync(this.fd);
    this.#notify();
  }

  /** Ends without a blob; readers fail with `failure`. The partial file stays for a later resume only if `keep` says so. */
  async fail(failure: unknown, options: { readonly keep: boolean }): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "failed";
    this.#failure = failure;
    this.#growth?.stop();
    this.#notify();
    await this.#writing.catch(() => undefined); // It uses the descriptor, and its failure is not the first.
    closeSync(this.fd);
    if (!options.keep || this.#written === 0) rmSync(this.path, { force: true });
  }

  #throwIfFailed(): void {
    if (this.#state === "failed") throw this.#failure;
  }

  #notify(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }

  /** A descriptor of the file, whole or not, that is the caller's to close; see {@link growth}. */
  openForReading(): number {
    this.#throwIfFailed();
    return openSync(this.#state === "complete" ? this.store.pathOf(this.target.digest) : this.path, "r");
  }

  /**
   * The blob from its first byte, as it arrives; ends when the blob was checked and put in place.
   * @param options.lend a chunk is good only until the next but one is asked for
   */
  async *follow({ lend = false } = {}): AsyncGenerator<Uint8Array> {
    let [buffer, other] = [new Uint8Array(CHUNK), new Uint8Array(CHUNK)];
    const fd = this.openForReading();
    try {
      for (let position = 0; ; ) {
        this.#throwIfFailed();
        if (position < this.offset) {
          const chunk = await readAt(fd, position, buffer);
          if (chunk.length === 0) throw shrunk(this.path);
          position += chunk.length;
          yield chunk;
          [buffer, other] = [lend ? other : new Uint8Array(CHUNK), buffer];
        } else if (this.#state === "complete") return;
        else await new Promise<void>((resolve) => this.#wake.push(resolve));
      }
    } finally {
      closeSync(fd);
    }
  }
}

/** Where the partial content of a blob is kept. */
export function partialPath(store: ContentStore, digest: string): string {
  const { algorithm, hex } = parseDigest(digest);
  return join(store.ingestDirectory, `${algorithm}-${hex}`);
}

function shrunk(path: string): GalleyError {
  return new GalleyError("data_loss", "somebody shortened the file while it was written", {
    op: "read",
    subject: path,
  });
}

async function* readUpTo(path: string, end: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const fd = openSync(path, "r");
  const buffer = new Uint8Array(CHUNK);
  try {
    for (let position = 0; position < end; ) {
      signal?.throwIfAborted();
      const chunk = await readAt(fd, position, buffer.subarray(0, end - position));
      if (chunk.length === 0) return;
      position += chunk.length;
      yield chunk;
    }
  } finally {
    closeSync(fd);
  }
}

/** Fills the buffer, outside the main thread; gives less of it at the end of the file. */
function readAt(fd: number, position: number, buffer: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) =>
    read(fd, buffer, 0, buffer.length, position, (failure, count) =>
      failure === null ? resolve(buffer.subarray(0, count)) : reject(failure),
    ),
  );
}

/** Writes outside the main thread; gives the number of bytes that were written. */
function writeAt(fd: number, bytes: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) =>
    write(fd, bytes, 0, bytes.length, position, (failure, count) =>
      failure === null ? resolve(count) : reject(failure),
    ),
  );
}
