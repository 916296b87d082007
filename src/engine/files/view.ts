import { LayerView } from "../../image/layers/view/view.ts";
import { lowerOf } from "../lifecycle/layers.ts";
import { type Parts, placesIn } from "../lifecycle/parts.ts";
import type { ContainerRecord } from "../records/record.ts";

/** The layers that a container's root is made of: the image's, topmost first, and its own. */
export interface RootLayers {
  readonly lower: readonly string[];
  readonly upper: string;
  readonly work: string;
}

/** Where a container's layers are; those of the image that are gone from the snapshotter are unpacked again. */
export async function layersOf(parts: Parts, { id, imageId, made }: ContainerRecord): Promise<RootLayers> {
  const { upper, work } = placesIn(parts, id);
  return { lower: await lowerOf(parts, imageId, made.layers), upper, work };
}

/**
 * A container's root as it is now, without what is mounted in it. While the container runs, files come and go under the view, as
 * they do under any reader.
 */
export async function viewOf(parts: Parts, record: ContainerRecord): Promise<LayerView> {
  const { lower, upper } = await layersOf(parts, record);
  return new LayerView(lower, upper);
}
