import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { toGalleyError } from "../../errors.ts";
import { indexLayer } from "../layers/erofs/index-layer.ts";
import { Ingest } from "./ingest.ts";
import type { LayerForm } from "./kept-layers.ts";
import { mountErofs } from "./mount-erofs.ts";

let answer: Promise<boolean> | undefined;

/**
 * Whether new layers are kept as indexes. The kernel is asked by mounting one of an empty layer, once in a process: whether it may
 * depends on its version and parts, on privileges, on the file system that the store is on. With the form `erofs` a kernel that does
 * not is a failure, as it says it.
 */
export async function indexesLayers(layers: string, form: LayerForm): Promise<boolean> {
  if (form === "directories") return false;
  answer ??= mountsAnything(layers).then(() => true);
  if (form === "erofs") {
    return answer.catch((cause: unknown) => {
      throw toGalleyError(cause, {
        op: "mount an index",
        hint: "this kernel, or this user, mounts no erofs of files or loop devices; leave --snapshotter out",
      });
    });
  }
  return answer.catch(() => false);
}

async function mountsAnything(layers: string): Promise<void> {
  using ingest = Ingest.create(layers);
  try {
    const [tar, index] = [join(ingest.path, "layer.tar"), join(ingest.path, "index.erofs")];
    const files = [openSync(tar, "w+"), openSync(index, "w+")] as const;
    try {
      await indexLayer(noBytes(), { tar: files[0], index: files[1], uuid: new Uint8Array(16) });
    } finally {
      for (const fd of files) closeSync(fd);
    }
    closeSync(mountErofs({ tar, index }, 0));
  } finally {
    ingest.discard();
  }
}

/** Two blocks of zeros: an archive of nothing. A device without a byte cannot be mounted. */
async function* noBytes(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1024);
}
