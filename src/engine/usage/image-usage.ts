import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { ImageContent } from "../../image/types.ts";
import type { StorePaths } from "../../state/paths.ts";

/** Bytes on disk of what an image is made of; `shared` are those of them that other images need too. */
export interface ImageSize {
  readonly id: string;
  readonly size: number;
  readonly shared: number;
}

export interface ImagesSize {
  readonly images: readonly ImageSize[];
  /** Everything that images take, each blob and layer counted once, with what unfinished pulls have brought in. */
  readonly total: number;
  /** Of that, what only images take that no container uses, and what no image needs. */
  readonly reclaimable: number;
}

/** Bytes on disk by digest. */
export interface Pieces {
  readonly blobs: ReadonlyMap<string, number>;
  readonly layers: ReadonlyMap<string, number>;
}

/** Sizes of images, given what each piece of content takes on the disk. */
export function sizesOf(
  contents: readonly ImageContent[],
  { blobs, layers }: Pieces,
  isUsed: (id: string) => boolean,
): ImagesSize {
  const layer = (diffId: string) => `layer ${diffId}`;
  const pieces = new Map([...blobs, ...[...layers].map(([diffId, bytes]) => [layer(diffId), bytes] as const)]);
  const own = contents.map((one) => ({ id: one.id, digests: [...new Set([...one.blobs, ...one.layers.map(layer)])] }));
  const users = new Map<string, number>();
  for (const { digests } of own) for (const digest of digests) users.set(digest, (users.get(digest) ?? 0) + 1);
  const sum = (digests: Iterable<string>) =>
    [...digests].reduce((bytes, digest) => bytes + (pieces.get(digest) ?? 0), 0);
  const images = own.map(({ id, digests }) => ({
    id,
    size: sum(digests),
    shared: sum(digests.filter((one) => (users.get(one) ?? 0) > 1)),
  }));
  const total = sum(pieces.keys());
  const needed = new Set(own.filter(({ id }) => isUsed(id)).flatMap(({ digests }) => digests));
  return { images, total, reclaimable: total - sum(needed) };
}

/** Bytes on disk of the blobs of the content store, by digest; what is on its way in, by the file's name. */
export function blobUsage({ content }: StorePaths): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const algorithm of ["sha256", "sha512"]) {
    for (const [name, bytes] of filesIn(join(content, "blobs", algorithm))) sizes.set(`${algorithm}:${name}`, bytes);
  }
  for (const [name, bytes] of filesIn(join(content, "ingest"))) sizes.set(`ingest/${name}`, bytes);
  return sizes;
}

function* filesIn(directory: string): Generator<readonly [name: string, bytes: number]> {
  for (const name of namesIn(directory)) {
    const status = lstatSync(join(directory, name), { throwIfNoEntry: false });
    if (status !== undefined) yield [name, status.blocks * 512];
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (failure) {
    if ((failure as { code?: unknown }).code === "ENOENT") return [];
    throw failure;
  }
}
