import { GalleyError } from "../../errors.ts";
import type { Descriptor } from "../../spec/image.ts";
import { LayerFile } from "../content/layer-file.ts";
import type { ImageStore } from "../store/image-store.ts";

/** Unpacks an image's layers from the blobs that are kept; both lists are bottom first. */
export async function unpackStored(
  { content, locks, snapshotter }: ImageStore,
  blobs: readonly Descriptor[],
  diffIds: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  for (const [position, diffId] of diffIds.entries()) {
    if (await snapshotter.has(diffId)) continue;
    const blob = blobs[position];
    if (blob === undefined || !content.has(blob)) throw gone(diffId);
    using _lock = await locks.take("layer", diffId, options);
    await snapshotter.apply(diffId, LayerFile.kept(content, blob), options);
  }
}

function gone(diffId: string): GalleyError {
  return new GalleyError("not_found", "the layer is gone, and so is the content it was made of", {
    op: "unpack",
    subject: diffId,
    hint: "pull the image again",
  });
}
