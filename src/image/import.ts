import { GalleyError } from "../errors.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../spec/image.ts";
import { LayerFile } from "./content/layer-file.ts";
import { digestOf } from "./digest.ts";
import { parseReference } from "./reference.ts";
import { nameOf } from "./store/find.ts";
import type { ImageStore } from "./store/image-store.ts";
import type { Lease } from "./store/leases.ts";
import type { ImageRecord, ImageSource, KeptLayer, LayerSource } from "./types.ts";

/**
 * Adds an image whose layers are made in this process. They are stored as they are, without compression, so a layer's blob has its diff
 * ID as digest.
 */
export async function importImage(store: ImageStore, source: ImageSource, signal?: AbortSignal): Promise<ImageRecord> {
  const names = source.names.map((name) => nameOf(parseReference(name)));
  checkLayers(source);
  const lease = await store.leases.open();
  try {
    const config = document(mediaTypes.ociConfig, source.config);
    lease.protect([config.descriptor.digest, ...source.layers.flatMap(digestsOf)]);
    const layers: KeptLayer[] = [];
    for (const layer of source.layers) layers.push("blob" in layer ? layer : await importLayer(store, layer, signal));
    const manifest = document(mediaTypes.ociManifest, manifestOf(source, config.descriptor, layers));
    lease.protect([manifest.descriptor.digest]);
    for (const { descriptor, bytes } of [config, manifest]) store.content.put(bytes, descriptor);
    return save(store, { config: config.descriptor, manifest: manifest.descriptor, layers, names, lease });
  } catch (failure) {
    lease.end();
    throw failure;
  }
}

function digestsOf(layer: LayerSource | KeptLayer): readonly string[] {
  return "blob" in layer ? [layer.diffId, layer.blob.digest] : [layer.diffId];
}

function checkLayers({ config, layers }: ImageSource): void {
  const listed = config.rootfs.diff_ids;
  if (layers.length === listed.length && layers.every((layer, position) => layer.diffId === listed[position])) return;
  throw new GalleyError("invalid_argument", "the layers are not those that the configuration lists", {
    op: "import image",
  });
}

function document(
  mediaType: string,
  content: unknown,
): { readonly descriptor: Descriptor; readonly bytes: Uint8Array } {
  const bytes = Buffer.from(JSON.stringify(content));
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}

function manifestOf({ annotations }: ImageSource, config: Descriptor, layers: readonly KeptLayer[]): ImageManifest {
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config,
    layers: layers.map((layer) => layer.blob),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

async function importLayer(store: ImageStore, layer: LayerSource, signal?: AbortSignal): Promise<KeptLayer> {
  const { content, locks, snapshotter } = store;
  const options = signal === undefined ? {} : { signal };
  using _blobLock = await locks.take("blob", layer.diffId, options);
  if (!content.has({ digest: layer.diffId })) {
    if (layer.spool === undefined) await content.putStream(layer.open(), layer.diffId, signal);
    else layer.spool.place();
  }
  using _layerLock = await locks.take("layer", layer.diffId, options);
  const blob = { mediaType: mediaTypes.ociLayer, digest: layer.diffId, size: content.sizeOf(layer.diffId) ?? 0 };
  const { size } = await snapshotter.apply(layer.diffId, LayerFile.kept(content, blob), options);
  return { blob, diffId: layer.diffId, size };
}

interface ImportedImage {
  readonly config: Descriptor;
  readonly manifest: Descriptor;
  readonly layers: readonly KeptLayer[];
  readonly names: readonly string[];
  readonly lease: Lease;
}

function save(store: ImageStore, { config, manifest, layers, names, lease }: ImportedImage): ImageRecord {
  const blobs = [manifest.digest, config.digest, ...layers.map((layer) => layer.blob.digest)];
  const image = { id: config.digest, configSize: config.size, manifest, layers, blobs };
  store.save(image, { names, target: manifest, lease });
  return store.record(config.digest);
}
