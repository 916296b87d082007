import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ContentStore } from "../../image/content/content-store.ts";
import { parseDigest } from "../../image/digest.ts";
import { decodeIndex, emptyIndex, encodeIndex, type IndexChange, type RepositoryIndex } from "./repository-index.ts";

/** Milliseconds after which a claim is noted anew. */
const CLAIM_AGE = 1000;

interface Waiting {
  readonly change: IndexChange;
  done(): void;
  failed(failure: unknown): void;
}

/**
 * One repository: an OCI image layout of its own, whose blobs are hard links into the pool that all repositories share. So a blob is
 * in a repository only if it was pushed or mounted there, is on the disk once, and the file system counts who needs it.
 *
 * Changes of the index are written one after another, those that come meanwhile together; they are seen when they are on the disk.
 */
export class Repository {
  #index: RepositoryIndex;
  #waiting: Waiting[] = [];
  #writing = false;

  /**
   * @param directory of the layout; made by {@link prepare} when something is to be written
   * @param created called when the directory was made
   */
  constructor(
    readonly name: string,
    readonly directory: string,
    private readonly pool: ContentStore,
    private readonly created: () => void = () => undefined,
  ) {
    this.#index = readIndex(this.#indexPath) ?? emptyIndex;
  }

  get #indexPath(): string {
    return join(this.directory, "index.json");
  }

  /** Whether anything was ever pushed here. */
  get exists(): boolean {
    return statSync(this.directory, { throwIfNoEntry: false }) !== undefined;
  }

  /** What is in the repository now; the value does not change. */
  get index(): RepositoryIndex {
    return this.#index;
  }

  /** Path of a blob or manifest, whether or not it is there. */
  pathOf(digest: string): string {
    const { algorithm, hex } = parseDigest(digest);
    return join(this.directory, "blobs", algorithm, hex);
  }

  /** Bytes of a blob of this repository, or `undefined` where it has none of this digest. */
  sizeOf(digest: string): number | undefined {
    return statSync(this.pathOf(digest), { throwIfNoEntry: false })?.size;
  }

  /**
   * As {@link sizeOf}, for somebody who may be going to push an image with it: it counts as new from now on, so that no collection of
   * garbage takes it before the image's manifest is there.
   */
  claim(digest: string): number | undefined {
    const path = this.pathOf(digest);
    const status = statSync(path, { throwIfNoEntry: false });
    const now = Date.now();
    if (status !== undefined && now - status.ctimeMs > CLAIM_AGE) touch(path, now / 1000);
    return status?.size;
  }

  /** A manifest's bytes. */
  read(digest: string): Uint8Array {
    return readFileSync(this.pathOf(digest));
  }

  /** Puts a manifest's bytes in place, forced to the disk; their digest was computed by the caller. */
  store(bytes: Uint8Array, digest: string): void {
    if (this.claim(digest) === bytes.length) return;
    if (this.pool.sizeOf(digest) !== bytes.length) this.pool.put(bytes, { digest });
    this.link(digest);
  }

  /** Makes the layout's directories. */
  prepare(): void {
    if (this.exists) return;
    for (const name of ["sha256", "sha512"])
      mkdirSync(join(this.directory, "blobs", name), { recursive: true, mode: 0o700 });
    writeFileSync(join(this.directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}', { mode: 0o600 });
    this.created();
  }

  /** Takes a blob of the pool over; false where the pool does not hold it. */
  link(digest: string): boolean {
    this.prepare();
    const [from, to] = [this.pool.pathOf(digest), this.pathOf(digest)];
    try {
      linkSync(from, to);
    } catch (failure) {
      const { code } = failure as { code?: unknown };
      if (code === "ENOENT") return false;
      if (code === "EEXIST") return this.claim(digest) !== undefined;
      // The file system has no hard links, or no more for this file.
      if (code !== "EMLINK" && code !== "EPERM" && code !== "EXDEV") throw failure;
      copyFileSync(from, to);
    }
    return true;
  }

  /** Forgets a blob, and deletes it where no other repository has it. Gives the bytes that were freed. */
  unlink(digest: string): number {
    const path = this.pathOf(digest);
    const size = this.sizeOf(digest);
    if (size === undefined) return 0;
    unlinkSync(path);
    const pooled = statSync(this.pool.pathOf(digest), { throwIfNoEntry: false });
    return pooled?.nlink === 1 ? this.pool.remove(digest) : 0;
  }

  /** Changes the index. Resolves when the change is on the disk and seen by readers. */
  change(change: IndexChange): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ change, done, failed });
      if (!this.#writing) void this.#write();
    });
  }

  /** Writes all changes that wait, as one. */
  async #write(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      try {
        const next = batch.reduce((index, { change }) => change(index), this.#index);
        this.prepare();
        await replaceDurably(this.#indexPath, encodeIndex(next));
        this.#index = next;
        for (const { done } of batch) done();
      } catch (failure) {
        for (const { failed } of batch) failed(failure);
      }
    }
    this.#writing = false;
  }
}

/** The times of an inode, of which one is when they were changed. Where nothing can be written, nothing is collected either. */
function touch(path: string, seconds: number): void {
  try {
    utimesSync(path, seconds, seconds);
  } catch {}
}

function readIndex(path: string): RepositoryIndex | undefined {
  try {
    return decodeIndex(readFileSync(path, "utf8"));
  } catch (failure) {
    if ((failure as { code?: unknown }).code === "ENOENT") return undefined;
    throw failure;
  }
}

/** Replaces a file so that the old or the new one is there, whatever happens, and the new one when this resolves. Others go on meanwhile. */
async function replaceDurably(path: string, content: string): Promise<void> {
  const temporary = `${path}.new`;
  try {
    await writeFile(temporary, content, { mode: 0o600, flush: true });
    await rename(temporary, path);
  } catch (failure) {
    await rm(temporary, { force: true });
    throw failure;
  }
}
