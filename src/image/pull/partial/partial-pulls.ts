import type { Descriptor } from "../../../spec/image.ts";
import type { Reference } from "../../reference.ts";
import type { ImageStore } from "../../store/image-store.ts";
import type { BlobOptions, BlobPart, Transport, TransportOptions } from "../../transports/transport.ts";
import { assembled } from "./assembled.ts";
import { Donors } from "./donors.ts";
import { FrameList } from "./frame-list.ts";
import { framesOf } from "./frames.ts";
import { placesOf } from "./places.ts";
import { planOf, type Run } from "./plan.ts";
import { wrong } from "./wrong.ts";

/** Blobs that are smaller, in bytes, are fetched whole: a table of theirs would be half of it. */
const SMALLEST = 256 << 10;

/** The end of a blob, with its tables, may be one in so many of its bytes. */
const LARGEST_TAIL = 2;

/** And what the store has must be one in so many: else nothing is won by many small parts. */
const LEAST_KEPT = 20;

/** A layer's blob of which a part need not be fetched. */
export interface PartialBlob {
  /** Bytes from the offset on; to be read once. */
  readonly source: AsyncIterable<Uint8Array>;
  /** Bytes of it that are in the store. */
  readonly kept: number;
}

type Fetch = NonNullable<Transport["fetchParts"]>;

/**
 * Pulls of zstd:chunked layers that fetch only what no layer of the store has. A new blob is put together of its own frames and those of other
 * blobs, byte for byte, and goes the way of every blob from there on: it is checked against its digest, kept, unpacked and checked again.
 */
export class PartialPulls {
  #donors: { readonly found: Donors | undefined } | undefined;

  private constructor(
    private readonly store: ImageStore,
    private readonly transport: Transport,
    private readonly fetchParts: Fetch,
    private readonly reference: Reference,
  ) {}

  /** `undefined` where the transport gives blobs as wholes alone. */
  static of(store: ImageStore, transport: Transport, reference: Reference): PartialPulls | undefined {
    const fetchParts = transport.fetchParts?.bind(transport);
    return fetchParts === undefined ? undefined : new PartialPulls(store, transport, fetchParts, reference);
  }

  /** How to get a blob from `offset` on; `undefined` where it is best fetched whole. Never fails for what is wrong with the blob's table. */
  async open(blob: Descriptor, { offset = 0, ...options }: BlobOptions): Promise<PartialBlob | undefined> {
    const places = placesOf(blob);
    if (places === undefined || blob.size < SMALLEST || offset >= places.tail) return undefined;
    if ((blob.size - places.tail) * LARGEST_TAIL > blob.size) return undefined;
    const donors = this.#found();
    if (donors === undefined) return undefined;
    try {
      const rest = { start: places.tail, end: blob.size };
      const tail = await gatheredIn(Buffer.allocUnsafe(rest.end - rest.start), this.#fetch(blob, [rest], options));
      const runs = planOf(new FrameList(framesOf(tail, places, { checksum: true })), donors.frames, offset);
      const kept = runs.reduce((sum, run) => sum + (run.kept === undefined ? 0 : run.end - run.start), 0);
      if (kept * LEAST_KEPT < blob.size - offset) return undefined;
      return { kept, source: this.#source(blob, { runs, tail, donors, offset }, options) };
    } catch (failure) {
      if (options.signal?.aborted === true) throw failure;
      return undefined;
    }
  }

  #found(): Donors | undefined {
    this.#donors ??= { found: Donors.of(this.store.content, this.store.table, this.reference) };
    return this.#donors.found;
  }

  #fetch(blob: Descriptor, parts: readonly BlobPart[], options: TransportOptions): AsyncIterable<Uint8Array> {
    return this.fetchParts(this.reference, blob, parts, options);
  }

  /** Whatever goes wrong, the rest is fetched as it is. */
  async *#source(
    blob: Descriptor,
    from: {
      readonly runs: readonly Run[];
      readonly tail: Uint8Array;
      readonly donors: Donors;
      readonly offset: number;
    },
    options: Omit<BlobOptions, "offset">,
  ): AsyncGenerator<Uint8Array> {
    let position = from.offset;
    try {
      const parts = {
        fetch: (wanted: readonly BlobPart[]) => this.#fetch(blob, wanted, options),
        open: (donor: number) => from.donors.open(donor),
      };
      for await (const bytes of assembled(from.runs, parts)) {
        position += bytes.length;
        yield bytes;
      }
      position = blob.size;
      yield from.tail;
    } catch (failure) {
      if (options.signal?.aborted === true) throw failure;
      yield* this.transport.fetchBlob(this.reference, blob, { ...options, offset: position });
    }
  }
}

/** Fills the bytes as they come: pieces of a byte each, as a server may send them, would take a hundred times the memory. */
async function gatheredIn(bytes: Buffer, source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  let length = 0;
  for await (const piece of source) {
    if (length + piece.length > bytes.length) throw wrong("more came than was asked for");
    bytes.set(piece, length);
    length += piece.length;
  }
  if (length < bytes.length) throw wrong("less came than was asked for");
  return bytes;
}
