import { createReadStream, statSync, write } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { CHUNK } from "../../image/content/content-store.ts";
import { gathered } from "../../image/content/gathered.ts";
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
      for await (const piece of gathered(source)) {
        await this.#writing;
        if (turn !== this.#turn) throw new Error("another request goes on with this upload");
        this.#writing = this.#write(file, piece);
        this.#writing.catch(() => undefined); // Whoever waits for it next is told.
      }
      await this.#writing;
    } finally {
      await this.#writing.catch(() => undefined);
      await file.close();
    }
  }

  async #write(file: FileHandle, piece: Uint8Array): Promise<void> {
    const hasher = this.#hasher;
    this.#hasher = undefined; // A write that fails leaves a file that was not hashed to its end.
    const written = writeAll(file.fd, piece, this.#offset);
    hasher?.update(piece); // While the other thread writes.
    await written;
    this.#offset += piece.length;
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

/** Writes outside the main thread. */
async function writeAll(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += await writeSome(fd, bytes, done, position + done);
}

function writeSome(fd: number, bytes: Uint8Array, from: number, position: number): Promise<number> {
  return new Promise((resolve, reject) =>
    write(fd, bytes, from, bytes.length - from, position, (failure, count) =>
      failure === null ? resolve(count) : reject(failure),
    ),
  );
}

async function hashOfFile(path: string, algorithm: DigestAlgorithm): Promise<Bun.CryptoHasher> {
  const hasher = new Bun.CryptoHasher(algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) hasher.update(chunk as Buffer);
  return hasher;
}
