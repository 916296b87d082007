/** Layers that are zstd:chunked, in versions that have most of their files in common. */
import { zstdDecompressSync } from "node:zlib";
import type { Annotations } from "../../src/image/copy/chunked/annotations.ts";
import { ChunkedWriter } from "../../src/image/copy/chunked/chunked-writer.ts";
import { frameWith } from "../../src/image/copy/chunked/frames.ts";
import { trailer } from "../../src/image/copy/chunked/trailer.ts";
import { type Place, placesOf } from "../../src/image/pull/partial/places.ts";
import { type BuiltImage, buildImage, digestOf } from "../harness/image-builder.ts";
import { directory, file, symlink, tar } from "../harness/tar.ts";

/** A layer's blob, and what its descriptor says of it. */
export interface ChunkedLayer {
  readonly archive: Uint8Array;
  readonly stored: Buffer;
  readonly annotations: Annotations;
}

/** What a test changes of a blob's end: entries of the table as text, tar-split's documents as text. */
export interface Ending {
  readonly table: string[];
  readonly split: string;
}

/** Files of noise, so that their compressed size is theirs: 60 of 1 to 30 KiB, of which every tenth is another one in each version. */
const files = Array.from({ length: 60 }, (_, index) => ({
  name: `data/file${index}`,
  size: 1024 + ((index * 7919) % 30_000),
}));

/** The same bytes for the same seed. */
function noise(seed: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = seed * 2654435761 + 12345;
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** The archive of one version, uncompressed. */
export function archiveOf(version: number): Uint8Array {
  const contents = files.map(({ name, size }, index) => {
    const isChanged = index % 10 === 3;
    return file(name, noise(isChanged ? 1000 * version + index : index, size), { mtime: 1_700_000_000 });
  });
  return tar([
    directory("data/"),
    ...contents,
    file("empty"),
    symlink("link", "data/file1"),
    file("version", `${version}\n`),
  ]);
}

/** A layer of an archive, compressed at this level of zstd. */
export function chunkedLayer(archive: Uint8Array, level = 3): ChunkedLayer {
  const writer = new ChunkedWriter(level);
  const frames = writer.push(archive);
  const { output, annotations = {} } = writer.finish();
  return { archive, stored: Buffer.concat([...frames, ...output]), annotations };
}

/** The layer with another end, whose annotations say so: nothing but what is in it is wrong. */
export function withEnding(layer: ChunkedLayer, change: (ending: Ending) => Ending): ChunkedLayer {
  const places = placesOf({ mediaType: "", digest: "", size: layer.stored.length, annotations: layer.annotations });
  if (places === undefined) throw new Error("the layer has no table");
  const text = ({ offset, length }: Place) =>
    zstdDecompressSync(layer.stored.subarray(offset, offset + length)).toString();
  const { entries } = JSON.parse(text(places.table)) as { entries: object[] };
  const changed = change({ table: entries.map((entry) => JSON.stringify(entry)), split: text(places.split) });
  const frame = frameWith(3);
  const split = { bytes: frame(Buffer.from(changed.split)), size: Buffer.byteLength(changed.split) };
  const end = trailer({ offset: places.tail, table: changed.table, split, frame });
  const stored = Buffer.concat([layer.stored.subarray(0, places.tail), end.bytes]);
  return { ...layer, stored, annotations: end.annotations };
}

/** An image of these layers. */
export function imageOf(...layers: readonly ChunkedLayer[]): BuiltImage {
  return buildImage({ layers: layers.map((layer) => ({ ...layer, compression: "zstd" as const })) });
}

/** The digest of the uncompressed layer. */
export const diffIdOf = ({ archive }: ChunkedLayer) => digestOf(archive);

/** Files that are all of one size, which no compressor makes smaller. */
export function sameSizes(version: number): Uint8Array {
  const contents = Array.from({ length: 40 }, (_, index) =>
    file(`data/file${index}`, noise(index + 1, 8000), { mtime: 1 }),
  );
  return tar([...contents, file("version", `${version}\n`)]);
}
