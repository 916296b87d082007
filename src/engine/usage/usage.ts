import { lstatSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ImageRecord } from "../../image/types.ts";
import type { Parts } from "../lifecycle/parts.ts";
import { placesIn } from "../lifecycle/parts.ts";
import type { Container } from "../types.ts";
import type { VolumeRecord } from "../volumes/types.ts";
import { diskUsage } from "./disk-usage.ts";
import { blobUsage, sizesOf } from "./image-usage.ts";
import { layerUsage } from "./layer-usage.ts";

/** What a store takes on the disk. All sizes are in bytes, as du(1) counts them. */
export interface Usage {
  readonly images: {
    /** Newest first. `containers` is how many there are of it. */
    readonly list: readonly ImageUsage[];
    readonly total: number;
    readonly reclaimable: number;
  };
  readonly containers: readonly ContainerUsage[];
  readonly volumes: readonly VolumeUsage[];
  /** The database and caches: what is in the store and belongs to none of these. */
  readonly rest: number;
}

export interface ImageUsage {
  readonly image: ImageRecord;
  readonly size: number;
  readonly shared: number;
  readonly containers: number;
}

export interface ContainerUsage {
  readonly container: Container;
  /** Its own files, log and records; nothing of its image, nothing of what is mounted in it. */
  readonly size: number;
}

export interface VolumeUsage {
  readonly volume: VolumeRecord;
  readonly size: number;
  /** How many containers it belongs to. */
  readonly links: number;
}

/** Measures a store. Layers and blobs do not change and are measured once; containers and volumes are walked through. */
export async function measure(parts: Parts, containers: readonly Container[]): Promise<Usage> {
  const { root, layers, content, containers: home, volumes: shelf } = parts.paths;
  const images = imagesOf(parts, containers);
  const seen = new Set<bigint>();
  const listed = containers.map((container) => ({
    container,
    size: diskUsage(placesIn(parts, container.id).directory, seen),
  }));
  const volumes = await volumesOf(parts, seen);
  return { images, containers: listed, volumes, rest: restOf(root, [layers, content, home, shelf]) };
}

function imagesOf(parts: Parts, containers: readonly Container[]): Usage["images"] {
  const counts = new Map<string, number>();
  for (const { imageId } of containers) counts.set(imageId, (counts.get(imageId) ?? 0) + 1);
  const pieces = { blobs: blobUsage(parts.paths), layers: layerUsage(parts.database, parts.paths.layers) };
  const { images, total, reclaimable } = sizesOf(parts.images.contents(), pieces, (id) => counts.has(id));
  const sizes = new Map(images.map((one) => [one.id, one]));
  const list = parts.images.list().map((image) => {
    const { size = 0, shared = 0 } = sizes.get(image.id) ?? {};
    return { image, size, shared, containers: counts.get(image.id) ?? 0 };
  });
  return { list, total, reclaimable };
}

async function volumesOf(parts: Parts, seen: Set<bigint>): Promise<readonly VolumeUsage[]> {
  const volumes = await (await parts.volumes()).list({});
  return volumes.map((volume) => ({
    volume,
    size: diskUsage(dirname(volume.mountpoint), seen),
    links: parts.table.idsWithVolume(volume.name).length,
  }));
}

/** Entries of the store's own, and the directories that hold the others. */
function restOf(root: string, homes: readonly string[]): number {
  const own = namesIn(root).map((name) => join(root, name));
  const loose = own.filter((path) => !homes.includes(path));
  const frames = [
    root,
    ...homes,
    ...homes.flatMap((home) =>
      ["sha256", "sha512", "blobs", "blobs/sha256", "blobs/sha512", "ingest", "index.json", "oci-layout"].map((name) =>
        join(home, name),
      ),
    ),
  ];
  return (
    loose.reduce((sum, path) => sum + blocksBelow(path), 0) + frames.reduce((sum, path) => sum + blocksOf(path), 0)
  );
}

function blocksBelow(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ? diskUsage(path) : blocksOf(path);
}

function blocksOf(path: string): number {
  return (lstatSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (failure) {
    if ((failure as { code?: unknown }).code === "ENOENT") return [];
    throw failure;
  }
}
