import { closeSync, openSync } from "node:fs";
import { verifyBytes } from "../verify/read.ts";
import type { Expected } from "../verify/verifier.ts";
import type { ImageStore, NamedImage } from "./image-store.ts";
import type { Lease } from "./leases.ts";

/** Documents up to which each is waited for by itself; with more, everything is that the file system has not written yet. */
const FEW = 16;

/** Milliseconds after which what is whole is recorded, and how many times as long as recording took at least. */
const PACE = 1000;
const SHARE = 10;

/** Bytes of documents that are held until then at most, and one more. */
const MOST_BYTES = 32 << 20;

/**
 * Images that come together, out of one archive for instance. Waiting for the disk and writing the layout's index take as long for one
 * image as for hundreds, so they are done for many at once: first the documents reach the disk, then one transaction makes all images
 * visible that need them. Until then one lease protects what has come; whatever is killed in between leaves the images of the
 * transactions before.
 */
export class Batch {
  readonly #protected = new Set<string>();
  readonly #layers = new Map<string, number>();
  readonly #documents = new Map<string, Uint8Array>();
  #bytes = 0;
  readonly #images: NamedImage[] = [];
  #leftovers = false;
  #next = performance.now() + PACE;

  private constructor(
    readonly store: ImageStore,
    private readonly lease: Lease,
    private readonly longLog: Disposable,
  ) {}

  static async open(store: ImageStore): Promise<Batch> {
    store.content.prepare();
    return new Batch(store, await store.leases.open(), store.longLog());
  }

  /** From now on nothing of this is deleted. To be called before looking whether it is there. */
  protect(digests: readonly string[]): void {
    const more = digests.filter((digest) => !this.#protected.has(digest));
    if (more.length === 0) return;
    this.lease.protect(more);
    for (const digest of more) this.#protected.add(digest);
  }

  /** Takes a document, which is checked; the next {@link commit} writes it. */
  put(bytes: Uint8Array, document: Expected): void {
    verifyBytes(bytes, document);
    if (this.#documents.has(document.digest)) return;
    this.#documents.set(document.digest, bytes);
    this.#bytes += bytes.length;
  }

  /** A document that was taken, or is in the store. */
  read(document: Expected): Uint8Array {
    return this.#documents.get(document.digest) ?? this.store.content.read(document);
  }

  /** The size that a layer unpacks to, by blob and diff ID; brought in by `fetch` unless this batch has it already. */
  async layer(digest: string, diffId: string, fetch: () => Promise<number>): Promise<number> {
    const key = `${digest} ${diffId}`;
    const size = this.#layers.get(key) ?? (await fetch());
    this.#layers.set(key, size);
    return size;
  }

  /** Adds an image whose content is here. */
  add(image: NamedImage): void {
    this.#images.push(image);
  }

  /** What was brought in for an image that is not to be: it is deleted at the end. */
  abandon(): void {
    this.#leftovers = true;
  }

  /** Whether enough time has gone by to make what was added visible: seldom enough to cost little beside the work in between. */
  get isDue(): boolean {
    return this.#bytes > MOST_BYTES || performance.now() >= this.#next;
  }

  /** Makes the images that were added visible; none of them where that fails. */
  async commit(): Promise<void> {
    const start = performance.now();
    const images = this.#images.splice(0);
    try {
      await this.#write();
      if (images.length > 0) this.store.saveAll(images);
    } catch (failure) {
      this.abandon();
      throw failure;
    }
    const now = performance.now();
    this.#next = now + Math.max(PACE, SHARE * (now - start));
  }

  /** Puts the documents in place, and waits until they are on the disk. */
  async #write(): Promise<void> {
    const documents = [...this.#documents];
    this.#documents.clear();
    this.#bytes = 0;
    this.protect(documents.map(([digest]) => digest));
    const durable = documents.length <= FEW;
    for (const [digest, bytes] of documents) this.store.content.put(bytes, { digest }, { durable });
    if (!durable) await this.#sync();
  }

  async #sync(): Promise<void> {
    const { syncfs } = await import("../../linux/sys/sys.ts");
    const fd = openSync(this.store.content.directory, "r");
    try {
      syncfs(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Lets go; what belongs to no image that was made visible is deleted. */
  async close(): Promise<void> {
    this.longLog[Symbol.dispose]();
    this.lease.end();
    if (this.#leftovers || this.#images.length > 0) await this.store.collect();
  }
}
