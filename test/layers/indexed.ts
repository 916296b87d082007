import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { type IndexedLayer, indexLayer } from "../../src/image/layers/erofs/index-layer.ts";
import { attachMount, close, mountDetached, UMOUNT, umount } from "../../src/linux/sys/sys.ts";

/** Keeps a layer's tar in a directory that exists, as `layer.tar`, with its index as `index.erofs`. */
export async function indexInto(directory: string, tar: AsyncIterable<Uint8Array>): Promise<IndexedLayer> {
  const files = [openSync(join(directory, "layer.tar"), "w+"), openSync(join(directory, "index.erofs"), "w+")];
  try {
    const uuid = new Uint8Array(16).fill(7);
    const { layer, refused } = await indexLayer(tar, { tar: files[0] ?? -1, index: files[1] ?? -1, uuid });
    if (layer === undefined) throw refused;
    return layer;
  } finally {
    files.forEach((fd) => void closeSync(fd));
  }
}

/** Mounts what {@link indexInto} made, at `mount` in the same directory; disposing unmounts it. */
export function mountIndexed(directory: string): Disposable & { readonly path: string } {
  const path = join(directory, "mount");
  mkdirSync(path, { recursive: true });
  const mount = mountDetached("erofs", [
    ["source", join(directory, "index.erofs")],
    ["device", join(directory, "layer.tar")],
  ]);
  attachMount(mount, path);
  close(mount);
  return { path, [Symbol.dispose]: () => void umount(path, UMOUNT.DETACH) };
}
