import { LayerView } from "../../image/layers/view/view.ts";
import type { ImageRecord } from "../../image/types.ts";
import type { Parts } from "../lifecycle/parts.ts";
import type { FileChange } from "../types.ts";
import { compareViews } from "./compare.ts";
import { imageMountPoint, mountCounts, mountImage, unmountImage } from "./mounts.ts";

/** An image that is mounted. */
export interface MountedImage {
  readonly image: ImageRecord;
  readonly mountPoint: string;
}

/**
 * The files of images, as a host looks at them. Images are named as everywhere; an unknown one is `not_found`.
 *
 * A mounted image can only be read; it counts as used, so that it is not removed. It may be mounted several times, and then is there
 * until each of these was taken away, or the machine restarts.
 */
export class ImageFiles {
  constructor(private readonly parts: Parts) {}

  /** What an image changes of what is below its topmost layer, or with a second image of that. */
  async diff(reference: string, other?: string): Promise<readonly FileChange[]> {
    const image = this.parts.images.get(reference);
    const before = other === undefined ? image.layers.slice(0, -1) : await this.#layersOf(other);
    using now = await this.#view(await this.#layersOf(reference));
    using old = await this.#view(before);
    return compareViews(now, old);
  }

  async #layersOf(reference: string): Promise<readonly string[]> {
    const image = this.parts.images.get(reference);
    await this.parts.images.unpack(image);
    return image.layers;
  }

  async #view(layers: readonly string[]): Promise<LayerView | undefined> {
    if (layers.length === 0) return undefined;
    return new LayerView(await this.parts.snapshotter.lower(layers));
  }

  /** Gives the mount point. */
  mount(reference: string): Promise<string> {
    return mountImage(this.parts, this.parts.images.get(reference));
  }

  /** Gives the image's ID, or nothing where it was not mounted. */
  unmount(reference: string, { force = false }: { readonly force?: boolean } = {}): string | undefined {
    const { id } = this.parts.images.get(reference);
    return unmountImage(this.parts.paths, id, force) ? id : undefined;
  }

  mounted(): readonly MountedImage[] {
    const counts = mountCounts(this.parts.paths);
    const images = this.parts.images.list().filter(({ id }) => counts.has(id));
    return images.map((image) => ({ image, mountPoint: imageMountPoint(this.parts.paths, image.id) }));
  }
}
