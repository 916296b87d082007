import type { Descriptor } from "../../spec/image.ts";
import type { Lease } from "../store/leases.ts";
import type { PullEvent } from "../types.ts";
import { fetchLayer, type LayerParts, type LayerTask } from "./fetch-layer.ts";
import { FirstFailure } from "./first-failure.ts";
import { Limiter, UNPACKING } from "./limiter.ts";
import { LayerProgress } from "./progress.ts";

/** Blobs that are fetched at a time: enough to fill a line whose single connections are slow. */
export const DOWNLOADS = 6;

export interface LayerSet {
  /** Bottom first, as many as `diffIds`. */
  readonly blobs: readonly Descriptor[];
  readonly diffIds: readonly string[];
  readonly lease: Lease;
  readonly emit: (event: PullEvent) => void;
}

/**
 * Brings in all layers and gives their unpacked sizes, bottom first. A layer that occurs twice is fetched once; the
 * largest begin first. The first failure ends them all and is the one that is thrown.
 */
export async function fetchLayers(
  parts: Omit<LayerParts, "downloads" | "unpacking">,
  set: LayerSet,
): Promise<readonly number[]> {
  set.lease.protect([...set.blobs.map((blob) => blob.digest), ...set.diffIds]);
  const race = new FirstFailure(parts.signal);
  const shared = {
    ...parts,
    signal: race.signal,
    downloads: new Limiter(DOWNLOADS),
    unpacking: new Limiter(UNPACKING),
  };
  const sizes = new Map<string, Promise<number>>();
  for (const task of await inOrder(parts, set)) {
    sizes.set(task.diffId, race.watch(fetchLayer(shared, task)));
  }
  await Promise.allSettled(sizes.values());
  race.throwIfFailed();
  return Promise.all(set.diffIds.map(async (diffId) => (await sizes.get(diffId)) ?? 0));
}

/** One task for each different layer, told about in the image's order and given largest first. */
async function inOrder(
  parts: Omit<LayerParts, "downloads" | "unpacking">,
  set: LayerSet,
): Promise<readonly LayerTask[]> {
  const tasks = new Map<string, LayerTask>();
  for (const [position, blob] of set.blobs.entries()) {
    const diffId = set.diffIds[position] ?? "";
    if (tasks.has(diffId)) continue;
    const present = parts.content.has(blob) && (await parts.snapshotter.has(diffId));
    new LayerProgress(blob, set.emit).status(present ? "exists" : "waiting");
    // What is there already is looked at once more, under its locks, but that is nothing to tell.
    tasks.set(diffId, { blob, diffId, progress: new LayerProgress(blob, present ? () => undefined : set.emit) });
  }
  return [...tasks.values()].sort((a, b) => b.blob.size - a.blob.size);
}
