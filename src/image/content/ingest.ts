import {
  closeSync,
  constants,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  read,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { parseDigest } from "../digest.ts";
import { Verifier } from "../verify/verifier.ts";
import { CHUNK, type ContentStore } from "./content-store.ts";

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
      ingest.fail(failure, { keep: true });
      throw failure;
    }
  }

  async #resume(signal?: AbortSignal): Promise<void> {
    const present = statSync(this.path).size;
    if (present > this.target.size) ftruncateSync(this.fd, 0);
    else if (present > 0) for await (const chunk of readUpTo(this.path, present, signal)) this.#verifier.update(chunk);
    this.#resumedFrom = this.offset;
  }

  /** Bytes that an earlier download left. */
  get resumedFrom(): number {
    return this.#resumedFrom;
  }

  /** Bytes that are in the file. */
  get offset(): number {
    return this.#verifier.seen;
  }

  /** Appends; more than the target's size is `data_loss`. A full disk is `resource_exhausted`. */
  write(chunk: Uint8Array): void {
    const start = this.offset;
    this.#verifier.update(chunk);
    try {
      for (let done = 0; done < chunk.length; ) {
        done += writeSync(this.fd, chunk, done, chunk.length - done, start + done);
      }
    } catch (failure) {
      throw toGalleyError(failure, { op: "write", subject: this.path });
    }
    this.#notify();
  }

  /** Checks the whole and puts it in place. `durable` for what an image cannot be shown without. */
  commit(options: { readonly durable?: boolean } = {}): void {
    this.#verifier.finish();
    if (options.durable === true) fdatasyncSync(this.fd);
    renameSync(this.path, this.store.pathOf(this.target.digest));
    this.#state = "complete";
    closeSync(this.fd);
    this.#notify();
  }

  /** Ends without a blob; readers fail with `failure`. The partial file stays for a later resume only if `keep` says so. */
  fail(failure: unknown, options: { readonly keep: boolean }): void {
    if (this.#state !== "open") return;
    this.#state = "failed";
    this.#failure = failure;
    closeSync(this.fd);
    if (!options.keep || this.offset === 0) rmSync(this.path, { force: true });
    this.#notify();
  }

  #throwIfFailed(): void {
    if (this.#state === "failed") throw this.#failure;
  }

  #notify(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }

  /** The blob from its first byte, as it arrives; ends when the blob was checked and put in place. */
  async *follow(): AsyncGenerator<Uint8Array> {
    this.#throwIfFailed();
    const fd = openSync(this.#state === "complete" ? this.store.pathOf(this.target.digest) : this.path, "r");
    try {
      for (let position = 0; ; ) {
        this.#throwIfFailed();
        if (position < this.offset) {
          const chunk = await readAt(fd, position, CHUNK);
          if (chunk.length === 0) throw shrunk(this.path);
          position += chunk.length;
          yield chunk;
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
  try {
    for (let position = 0; position < end; ) {
      signal?.throwIfAborted();
      const chunk = await readAt(fd, position, Math.min(CHUNK, end - position));
      if (chunk.length === 0) return;
      position += chunk.length;
      yield chunk;
    }
  } finally {
    closeSync(fd);
  }
}

/** Reads outside the main thread; shorter than `length` at the end of the file. */
function readAt(fd: number, position: number, length: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(length);
  return new Promise((resolve, reject) =>
    read(fd, buffer, 0, length, position, (failure, count) =>
      failure === null ? resolve(buffer.subarray(0, count)) : reject(failure),
    ),
  );
}
