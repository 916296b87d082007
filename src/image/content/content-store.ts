import { mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { parseDigest } from "../digest.ts";
import { verified, verifyBytes } from "../verify/read.ts";
import type { Expected } from "../verify/verifier.ts";

/** Bytes read at a time, half a megabyte: large enough that a thread switch costs nothing beside the work on them. */
export const CHUNK = 1 << 19;

/**
 * Blobs by digest in an OCI image layout (image-spec image-layout.md).
 *
 * A blob is in place or absent, never half there: it is written in `ingest/` and renamed. Layers are not forced to the disk
 * first, because that costs as much as the download: after a power cut the file system may hold a shorter file (never other
 * bytes: the length is recorded after the data). So presence means presence *at the right size*, and a blob that lost its
 * end counts as absent and is fetched again.
 */
export class ContentStore {
  constructor(readonly directory: string) {}

  /** Where partial content is written; on the same file system as the blobs. */
  get ingestDirectory(): string {
    return join(this.directory, "ingest");
  }

  /** Path of the blob, whether or not it is there. */
  pathOf(digest: string): string {
    const { algorithm, hex } = parseDigest(digest);
    return join(this.directory, "blobs", algorithm, hex);
  }

  /** Makes the directories and the layout's marker; to be called before anything is written. */
  prepare(): void {
    const marker = join(this.directory, "oci-layout");
    if (statSync(marker, { throwIfNoEntry: false }) !== undefined) return;
    for (const name of ["ingest", "blobs/sha256", "blobs/sha512"]) {
      mkdirSync(join(this.directory, name), { recursive: true, mode: 0o700 });
    }
    writeFileSync(marker, '{"imageLayoutVersion":"1.0.0"}', { mode: 0o600 });
  }

  /** Size of the blob in bytes, or `undefined` where it is absent. */
  sizeOf(digest: string): number | undefined {
    return statSync(this.pathOf(digest), { throwIfNoEntry: false })?.size;
  }

  has(blob: Expected): boolean {
    const size = this.sizeOf(blob.digest);
    return size !== undefined && (blob.size === undefined || blob.size === size);
  }

  /** A small blob (manifest, index, configuration), checked. `not_found` where it is absent, `data_loss` where it is damaged. */
  read(blob: Expected): Uint8Array {
    let content: Uint8Array;
    try {
      content = readFileSync(this.pathOf(blob.digest));
    } catch (failure) {
      throw missing(blob.digest, failure);
    }
    verifyBytes(content, blob);
    return content;
  }

  /** As {@link read}, `undefined` where the blob is absent or damaged. */
  tryRead(blob: Expected): Uint8Array | undefined {
    try {
      return this.has(blob) ? this.read(blob) : undefined;
    } catch (failure) {
      if (isDamageOrAbsence(failure)) return undefined;
      throw failure;
    }
  }

  /** {@link read} as JSON. The caller vouches for the shape: what is in the store was checked when it came. */
  readJson<T>(blob: Expected): T {
    return JSON.parse(Buffer.from(this.read(blob)).toString("utf8")) as T;
  }

  /**
   * Puts content that is in memory in place, once it is checked. Such documents are small, and without them an image cannot be
   * shown or started, so they are forced to the disk, unless the caller does that for many at once.
   */
  put(bytes: Uint8Array, blob: Expected, { durable = true }: { readonly durable?: boolean } = {}): void {
    verifyBytes(bytes, blob);
    this.prepare();
    const path = this.pathOf(blob.digest);
    const temporary = join(this.ingestDirectory, `document-${crypto.randomUUID()}`);
    try {
      writeFileSync(temporary, bytes, { flag: "wx", mode: 0o600, flush: durable });
      renameSync(temporary, path);
    } catch (failure) {
      rmSync(temporary, { force: true });
      throw toGalleyError(failure, { op: "write", subject: path });
    }
  }

  /** Puts a file of the ingest directory in place, whose digest was computed while it was written. */
  adopt(name: string, digest: string): void {
    renameSync(join(this.ingestDirectory, name), this.pathOf(digest));
  }

  /** Puts a stream of unknown length in place, if it has the digest. */
  async putStream(source: AsyncIterable<Uint8Array>, digest: string, signal?: AbortSignal): Promise<void> {
    this.prepare();
    const temporary = join(this.ingestDirectory, `stream-${crypto.randomUUID()}`);
    const file = await open(temporary, "wx", 0o600);
    try {
      for await (const chunk of verified(source, { digest })) {
        signal?.throwIfAborted();
        await file.writeFile(chunk);
      }
      renameSync(temporary, this.pathOf(digest));
    } catch (failure) {
      rmSync(temporary, { force: true });
      throw toGalleyError(failure, { op: "write", subject: this.pathOf(digest) });
    } finally {
      await file.close();
    }
  }

  /** A descriptor of the blob for reading, which is the caller's to close. `not_found` where it is absent. */
  open(digest: string): number {
    try {
      return openSync(this.pathOf(digest), "r");
    } catch (failure) {
      throw missing(digest, failure);
    }
  }

  /** A blob's bytes as they are on disk, chunk by chunk. */
  async *stream(digest: string): AsyncGenerator<Uint8Array> {
    const file = await open(this.pathOf(digest)).catch((failure: unknown) => {
      throw missing(digest, failure);
    });
    try {
      for (;;) {
        const { bytesRead, buffer } = await file.read(new Uint8Array(CHUNK), 0, CHUNK, null);
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }

  /** Whether all of a blob is what its descriptor says. It is read for that. */
  async isWhole(blob: Expected): Promise<boolean> {
    try {
      for await (const _ of verified(this.stream(blob.digest), blob));
      return true;
    } catch (failure) {
      if (isDamageOrAbsence(failure)) return false;
      throw failure;
    }
  }

  /** Deletes a blob if it is there; gives the bytes that were freed. */
  remove(digest: string): number {
    const size = this.sizeOf(digest);
    if (size === undefined) return 0;
    unlinkSync(this.pathOf(digest));
    return size;
  }
}

function isDamageOrAbsence(failure: unknown): boolean {
  return failure instanceof GalleyError && (failure.code === "data_loss" || failure.code === "not_found");
}

function missing(digest: string, failure: unknown): GalleyError {
  const cause = toGalleyError(failure);
  if (cause.code !== "not_found") throw cause;
  return new GalleyError("not_found", "the store does not hold this content", {
    op: "read",
    subject: digest,
    hint: "pull the image again",
    cause,
  });
}
