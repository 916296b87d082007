import { closeSync, readSync } from "node:fs";
import type { Descriptor, ImageManifest } from "../../../spec/image.ts";
import type { ContentStore } from "../../content/content-store.ts";
import { type Reference, repositoryOf } from "../../reference.ts";
import type { ImageRow, ImageTable } from "../../store/image-table.ts";
import { FrameIndex } from "./frame-index.ts";
import { framesOf } from "./frames.ts";
import { type Places, placesOf } from "./places.ts";

/** Images whose layers are looked at: those of the same repository, then the youngest. */
const MOST_IMAGES = 32;

/** Bytes of all tables that are read, uncompressed, and of tar-split's documents. */
const MOST_TABLES = 32 << 20;
const MOST_SPLITS = 512 << 20;

/** A layer, and where its tables are. */
export interface Donor {
  readonly blob: Descriptor;
  readonly places: Places;
}

/**
 * Layers of the store that are zstd:chunked, and where in their blobs which content is. Their tables are read from the blobs' ends when
 * they are first asked for; nothing of it is kept on the disk, so that nothing is to be removed with a layer.
 */
export class Donors {
  readonly frames = new FrameIndex();
  readonly blobs: readonly Descriptor[];

  private constructor(
    private readonly content: ContentStore,
    candidates: readonly Donor[],
  ) {
    this.blobs = candidates.map(({ blob }) => blob);
    for (const [number, donor] of candidates.entries()) this.#add(number, donor);
  }

  /** `undefined` where the store has no such layer. */
  static of(content: ContentStore, table: ImageTable, reference: Reference): Donors | undefined {
    const found = readable(nearest(table, reference).flatMap((row) => chunkedLayers(content, row)));
    return found.length === 0 ? undefined : new Donors(content, found);
  }

  /** A descriptor of a blob for reading, which is the caller's to close: it stays readable when the blob is removed. */
  open(donor: number): number {
    return this.content.open(this.blobs[donor]?.digest ?? "");
  }

  /** What cannot be read, or makes no sense, is as if it were not there: the blob that is put together is checked as a whole. */
  #add(number: number, { blob, places }: Donor): void {
    try {
      const tail = readEnd(this.content, blob, places);
      this.frames.add(number, framesOf(tail, places, { checksum: false }));
    } catch {
      // As was said.
    }
  }
}

/** The first of these layers, each once, whose tables are not too much to read: an image that was pulled may say that they are huge. */
export function readable(layers: readonly Donor[]): readonly Donor[] {
  const found = new Map<string, Donor>();
  let [tables, splits] = [0, 0];
  for (const layer of layers) {
    const { table, split } = layer.places;
    if (found.has(layer.blob.digest) || tables + table.size > MOST_TABLES || splits + split.size > MOST_SPLITS)
      continue;
    [tables, splits] = [tables + table.size, splits + split.size];
    found.set(layer.blob.digest, layer);
  }
  return [...found.values()];
}

function nearest(table: ImageTable, reference: Reference): readonly ImageRow[] {
  const prefix = repositoryOf(reference);
  const ofRepository = new Set(
    table
      .allNames()
      .flatMap(({ name, image }) =>
        /^[:@]/.test(name.slice(prefix.length)) && name.startsWith(prefix) ? [image] : [],
      ),
  );
  const rank = ({ id }: ImageRow) => (ofRepository.has(id) ? 0 : 1);
  const rows = [...table.all()].sort((a, b) => rank(a) - rank(b) || b.tagged_at.localeCompare(a.tagged_at));
  return rows.slice(0, MOST_IMAGES);
}

function chunkedLayers(content: ContentStore, row: ImageRow): readonly Donor[] {
  const bytes = content.tryRead({ digest: row.manifest_digest, size: row.manifest_size });
  if (bytes === undefined) return [];
  const { layers } = JSON.parse(Buffer.from(bytes).toString("utf8")) as ImageManifest;
  return layers.flatMap((blob) => {
    const places = placesOf(blob);
    return places === undefined || !content.has(blob) ? [] : [{ blob, places }];
  });
}

function readEnd(content: ContentStore, blob: Descriptor, { tail }: Places): Uint8Array {
  const fd = content.open(blob.digest);
  try {
    const bytes = Buffer.allocUnsafe(blob.size - tail);
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, tail));
  } finally {
    closeSync(fd);
  }
}
