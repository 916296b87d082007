import { createReadStream, statSync, writev } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { CHUNK } from "../../image/content/content-store.ts";
import { type DigestAlgorithm, parseDigest } from "../../image/digest.ts";

/**
 * A blob that is being pushed: a file that grows, and the hash of what is in it. The file alone is what counts: after a restart it is
 * found again at its size, and hashed anew when it is finished.
 */
export class Upload {
  #hasher: Bun.CryptoHasher | undefined;
  #offset: number;
  #turn = 0;
  #writing: Promise<unknown> = Promise.resolve();

  /** @param algorithm what its digest will probably be of; another one is computed when the digest is known */
  constructor(
    readonly path: string,
    private readonly algorithm: DigestAlgorithm,
  ) {
    this.#offset = statSync(path).size;
    if (this.#offset === 0) this.#hasher = new Bun.CryptoHasher(algorithm);
  }

  /** Bytes that have arrived. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Appends what comes. When the source fails, what came before is kept. Who appends later than another that has not ended takes over
   * from it: a client that comes back may be quicker than the news of its broken connection.
   */
  async append(source: AsyncIterable<Uint8Array>): Promise<void> {
    const turn = ++this.#turn;
    await this.#writing;
    const file = await open(this.path, "r+");
    try {
      for await (const chunks of gathered(source)) {
        await this.#writing;
        if (turn !== this.#turn) throw new Error("another request goes on with this upload");
        this.#writing = this.#write(file, chunks);
        this.#writing.catch(() => undefined); // Whoever waits for it next is told.
      }
      await this.#writing;
    } finally {
      await this.#writing.catch(() => undefined);
      await file.close();
    }
  }

  async #write(file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
    const hasher = this.#hasher;
    this.#hasher = undefined; // A write that fails leaves a file that was not hashed to its end.
    const written = writeAll(file.fd, chunks, this.#offset);
    for (const chunk of chunks) hasher?.update(chunk); // While the other thread writes.
    this.#offset += await written;
    this.#hasher = hasher;
  }

  /** Forces the bytes to the disk and tells whether they have this digest. */
  async finish(digest: string): Promise<boolean> {
    await this.#writing;
    const file = await open(this.path, "r+");
    try {
      const [found] = await Promise.all([this.#digest(parseDigest(digest).algorithm), file.sync()]);
      return found === digest;
    } finally {
      await file.close();
    }
  }

  async #digest(algorithm: DigestAlgorithm): Promise<string> {
    const known = algorithm === this.algorithm ? this.#hasher : undefined;
    return `${algorithm}:${(known?.copy() ?? (await hashOfFile(this.path, algorithm))).digest("hex")}`;
  }

  /** Deletes what has arrived. */
  async cancel(): Promise<void> {
    this.#turn++;
    await this.#writing.catch(() => undefined);
    await rm(this.path, { force: true });
  }
}

/** Chunks in lists of about half a megabyte: a system call and a change of threads for each list cost little beside it. */
async function* gathered(source: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Uint8Array[]> {
  let chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of source) {
      chunks.push(chunk);
      size += chunk.length;
      if (size < CHUNK) continue;
      yield chunks;
      [chunks, size] = [[], 0];
    }
  } catch (failure) {
    if (size > 0) yield chunks;
    throw failure;
  }
  if (size > 0) yield chunks;
}

/** Writes outside the main thread; gives the number of bytes. */
async function writeAll(fd: number, chunks: readonly Uint8Array[], position: number): Promise<number> {
  let left = chunks;
  let done = 0;
  while (left.length > 0) {
    const count = await writeSome(fd, left, position + done);
    done += count;
    left = withoutBytes(left, count);
  }
  return done;
}

function writeSome(fd: number, chunks: readonly Uint8Array[], position: number): Promise<number> {
  return new Promise((resolve, reject) =>
    writev(fd, [...chunks], position, (failure, count) => (failure === null ? resolve(count) : reject(failure))),
  );
}

function withoutBytes(chunks: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let rest = count;
  return chunks.flatMap((chunk) => {
    const skipped = Math.min(rest, chunk.length);
    rest -= skipped;
    return skipped === chunk.length ? [] : [chunk.subarray(skipped)];
  });
}

async function hashOfFile(path: string, algorithm: DigestAlgorithm): Promise<Bun.CryptoHasher> {
  const hasher = new Bun.CryptoHasher(algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) hasher.update(chunk as Buffer);
  return hasher;
}
