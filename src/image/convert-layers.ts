import { GalleyError } from "../errors.ts";
import type { ImageManifest } from "../spec/image.ts";
import { LayerFile } from "./content/layer-file.ts";
import type { KeptLayers, LayerForm } from "./snapshot/kept-layers.ts";
import type { ImageStore } from "./store/image-store.ts";
import type { InUse } from "./store/remove.ts";

/** What became of the layers of a store. */
export interface ConvertedLayers {
  readonly converted: readonly string[];
  /** Directories that running containers stand on. */
  readonly inUse: readonly string[];
  /** Directories that an index has no form for. */
  readonly onlyDirectories: readonly string[];
}

/** Gives all layers of images the form, one after the other; a layer at a time is on disk twice. */
export async function convertLayers(
  store: ImageStore,
  kept: KeptLayers,
  inUse: InUse,
  to: Exclude<LayerForm, "auto">,
  signal?: AbortSignal,
): Promise<ConvertedLayers> {
  const used = layersInUse(store, inUse);
  const converted: string[] = [];
  const [left, only] = [new Set<string>(), new Set<string>()];
  for (const image of store.table.all()) {
    const manifest = store.content.readJson<ImageManifest>({
      digest: image.manifest_digest,
      size: image.manifest_size,
    });
    for (const [position, { diff_id: diffId }] of store.table.layersOf(image.id).entries()) {
      const form = kept.formOf(diffId);
      const blob = manifest.layers[position];
      if (form === undefined || form === to || blob === undefined || only.has(diffId)) continue;
      if (form === "directories" && used.has(diffId)) {
        left.add(diffId);
        continue;
      }
      const tar = () => LayerFile.kept(store.content, blob);
      if (await converts(kept.convert(diffId, to, tar, signal))) converted.push(diffId);
      else only.add(diffId);
    }
  }
  return { converted, inUse: [...left], onlyDirectories: [...only] };
}

/** Whether it can be done at all: what an index has no form for is no failure of the others. */
async function converts(conversion: Promise<void>): Promise<boolean> {
  try {
    await conversion;
    return true;
  } catch (failure) {
    if (failure instanceof GalleyError && failure.code === "unimplemented") return false;
    throw failure;
  }
}

function layersInUse(store: ImageStore, inUse: InUse): ReadonlySet<string> {
  const running = store.table.all().filter(({ id }) => inUse(id).some((user) => user.running));
  return new Set(running.flatMap(({ id }) => store.table.layersOf(id).map((layer) => layer.diff_id)));
}
