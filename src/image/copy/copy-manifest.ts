import { GalleyError } from "../../errors.ts";
import type { Descriptor, ImageManifest } from "../../spec/image.ts";
import { digestOf } from "../digest.ts";
import { FirstFailure } from "../pull/first-failure.ts";
import { Limiter } from "../pull/limiter.ts";
import { isImage, parseConfigObject } from "../pull/manifests.ts";
import type { Document } from "../transports/place.ts";
import { REMEDY } from "../verify/remedy.ts";
import { convertManifest, documentType, type Format, formatOfType, isEncrypted } from "./convert.ts";
import { type BlobParts, type BlobTask, copyBlob } from "./copy-blob.ts";
import { arrivedLayer, type LayerTask, planLayers } from "./layer-task.ts";
import type { CopyEvent } from "./options.ts";

/** Layers that are on their way at a time, where nothing else is asked for. */
const AT_ONCE = 6;

/** An image of one platform, as it was read. */
export interface SourceManifest {
  readonly document: Document;
  readonly type: string;
  readonly manifest: ImageManifest;
  /** The configuration that it names, checked, which may be on its way yet. */
  readonly config: Promise<Uint8Array>;
}

/** Copies the blobs of one image and gives its document as it is to be at the destination: the same, unless something changed. */
export async function copyManifest(parts: BlobParts, image: SourceManifest): Promise<Document> {
  const { manifest, document, type, config } = image;
  const format = targetFormat(parts, image);
  const diffIds = config.then((bytes) => diffIdsOf(parts, manifest, bytes));
  diffIds.catch(() => undefined); // Who asks for one of them is told.
  const tasks = await planLayers(parts, format, manifest.layers, diffIds);
  const layers = await copyBlobs(parts, tasks, { blob: manifest.config, what: "config", content: config });
  const same = layers.every((layer, position) => layer === manifest.layers[position]);
  if (same && documentType(format, "manifest") === type) return document;
  return madeDocument(convertManifest(manifest, format, layers, parts.source.name));
}

/** Digests of the layers' tars, in their order; none of what is no container image. */
function diffIdsOf(parts: BlobParts, manifest: ImageManifest, config: Uint8Array): readonly string[] {
  if (!isImage(manifest) || tellsNoLayers(parts, config)) return [];
  const { diffIds } = parseConfigObject(config, parts.source.name);
  checkCount(parts, manifest, diffIds);
  return diffIds;
}

/** A document as bytes. */
export function madeDocument(value: { readonly mediaType?: string }): Document {
  const bytes = Buffer.from(JSON.stringify(value));
  return { bytes, descriptor: { mediaType: value.mediaType ?? "", digest: digestOf(bytes), size: bytes.length } };
}

/** The format of the copy; the source's if nothing speaks against it. */
function targetFormat({ destination, source, options }: BlobParts, { type, manifest }: SourceManifest): Format {
  const own = formatOfType(type);
  const accepted = destination.traits.manifests;
  const fits = accepted === undefined || accepted.includes(documentType(own, "manifest"));
  const locks =
    options.encryption !== undefined || (options.decryption === undefined && manifest.layers.some(isEncrypted));
  const wantsZstd = options.compression?.format.startsWith("zstd") === true;
  const needed = fits ? own : own === "oci" ? "v2s2" : "oci";
  const format = options.format ?? ((wantsZstd && isImage(manifest) && fits) || locks ? "oci" : needed);
  if (locks) requirePlaceForLocks(destination, format);
  const refuse = (why: string) =>
    new GalleyError(
      "failed_precondition",
      `the image would have to be converted to ${documentType(format, "manifest")}, ${why}`,
      {
        op: "copy",
        subject: `${source.name} to ${destination.name}`,
      },
    );
  if (format === own) return format;
  if (options.preserveDigests === true) throw refuse("which changes its digest: Instructed to preserve digests");
  if (options.unchanged !== undefined) throw refuse(options.unchanged);
  if (!isImage(manifest)) throw refuse("and it is no container image but an artifact");
  return format;
}

/** Only OCI's format has types for layers that are encrypted. */
function requirePlaceForLocks({ name, traits }: BlobParts["destination"], format: Format): void {
  if (format === "oci" && traits.manifests?.includes(documentType("oci", "manifest")) !== false) return;
  throw new GalleyError("failed_precondition", "encrypted layers need a manifest in OCI's format", {
    op: "copy",
    subject: name,
    hint: "name another destination, or decrypt them on the way",
  });
}

/**
 * Whether a configuration of an image's type tells of no layers: artifacts have such ones, and are copied as they are where no image is
 * needed.
 */
function tellsNoLayers({ destination }: BlobParts, config: Uint8Array): boolean {
  if (destination.traits.layers === "plain") return false;
  try {
    return (JSON.parse(Buffer.from(config).toString("utf8")) as { rootfs?: unknown } | null)?.rootfs === undefined;
  } catch {
    return true;
  }
}

function checkCount({ source }: BlobParts, manifest: ImageManifest, diffIds: readonly string[]): void {
  if (diffIds.length === manifest.layers.length) return;
  const counts = `${manifest.layers.length} layers and its configuration ${diffIds.length}`;
  throw new GalleyError("data_loss", `its manifest lists ${counts}`, {
    op: "copy",
    subject: source.name,
    hint: REMEDY,
  });
}

/**
 * Copies all layers, each different one once, and the configuration beside them; gives the layers' descriptors at the destination, the
 * same objects where nothing changed.
 */
async function copyBlobs(
  parts: BlobParts,
  tasks: readonly LayerTask[],
  config: BlobTask,
): Promise<readonly Descriptor[]> {
  const race = new FirstFailure(parts.signal);
  const turns = new Limiter(parts.options.atOnce ?? AT_ONCE);
  const shared = { ...parts, signal: race.signal };
  const copies = new Map<string, Promise<Descriptor>>();
  // The largest takes longest, and nothing is left to be done beside it where it began last.
  for (const task of tasks.toSorted((a, b) => b.blob.size - a.blob.size)) {
    if (copies.has(keyOf(task))) continue;
    copies.set(keyOf(task), race.watch(turns.run(() => copyLayer(shared, task))));
  }
  const { parts: quiet, tell } = toldLater(shared);
  await Promise.allSettled([...copies.values(), race.watch(turns.run(() => copyBlob(quiet, config)))]);
  race.throwIfFailed();
  tell();
  return Promise.all(
    tasks.map(async (task) => {
      const { blob } = task;
      const copy = await copies.get(keyOf(task));
      return copy === undefined || (copy.digest === blob.digest && copy.mediaType === blob.mediaType) ? blob : copy;
    }),
  );
}

/** What happens to the configuration is told after what happened to the layers, as people are used to it. */
function toldLater(parts: BlobParts): { readonly parts: BlobParts; tell(): void } {
  const events: CopyEvent[] = [];
  const options = { ...parts.options, onProgress: (event: CopyEvent) => void events.push(event) };
  const tell = () => {
    for (const event of events) parts.options.onProgress?.(event);
  };
  return { parts: { ...parts, options }, tell };
}

/** A layer may be in an image twice, and encrypted only once. */
function keyOf({ blob, changes }: LayerTask): string {
  return changes?.encrypt === undefined ? blob.digest : `${blob.digest} encrypted`;
}

async function copyLayer(parts: BlobParts, task: LayerTask): Promise<Descriptor> {
  const { blob, stays } = task;
  if (stays) {
    const { digest, size } = blob;
    const diffId = await task.diffId?.();
    parts.options.onProgress?.({ kind: "blob", digest, what: "layer", size, status: "skipped", diffId });
    return blob;
  }
  return arrivedLayer(task, await copyBlob(parts, task));
}
