import { toGalleyError } from "../../errors.ts";
import type { Parts } from "./parts.ts";

/**
 * The directories of an image's layers, topmost first. Layers that are not unpacked any more are unpacked from the kept blobs.
 * @param diffIds bottom first
 */
export async function lowerOf(
  parts: Pick<Parts, "snapshotter" | "images">,
  imageId: string,
  diffIds: readonly string[],
): Promise<readonly string[]> {
  try {
    return await parts.snapshotter.lower(diffIds);
  } catch (failure) {
    if (toGalleyError(failure).code !== "not_found") throw failure;
    const { images } = parts;
    await images.unpack(images.ofContainer(imageId));
    return parts.snapshotter.lower(diffIds);
  }
}
