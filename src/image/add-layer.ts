import { type Descriptor, type ImageManifest, mediaTypes } from "../spec/image.ts";
import { spool } from "./content/spool.ts";
import { importImage } from "./import.ts";
import type { ImageStore } from "./store/image-store.ts";
import type { ImageRecord, KeptLayer, LayerOnTop } from "./types.ts";

/** Adds the image that another one becomes by one more layer. The layer is stored as it is, without compression. */
export async function addLayer(
  store: ImageStore,
  { base, tar, config, names }: LayerOnTop,
  signal?: AbortSignal,
): Promise<ImageRecord> {
  const image = store.record(base);
  using layer = await spool(store.content, tar, signal);
  const diffIds = [...image.layers, layer.digest];
  const top = { diffId: layer.digest, spool: layer, open: () => store.content.stream(layer.digest) };
  const layers = [...keptLayers(store, image), top];
  return await importImage(store, { config: config(image.config, diffIds), layers, names }, signal);
}

function keptLayers({ content, table }: ImageStore, image: ImageRecord): readonly KeptLayer[] {
  const { layers: blobs } = content.readJson<ImageManifest>(image.manifest);
  const sizes = table.layersOf(image.id);
  return image.layers.flatMap((diffId, index) => {
    const blob = blobs[index];
    return blob === undefined ? [] : [{ diffId, blob: ociDescriptor(blob), size: sizes[index]?.size ?? 0 }];
  });
}

const ociTypes: Readonly<Record<string, string>> = {
  [mediaTypes.dockerLayer]: mediaTypes.ociLayer,
  [mediaTypes.dockerLayerGzip]: mediaTypes.ociLayerGzip,
};

/** The new manifest is OCI's, whatever the base's is. */
function ociDescriptor(blob: Descriptor): Descriptor {
  return { ...blob, mediaType: ociTypes[blob.mediaType] ?? blob.mediaType };
}
