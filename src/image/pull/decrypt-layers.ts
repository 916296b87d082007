import { GalleyError } from "../../errors.ts";
import type { Descriptor, ImageManifest } from "../../spec/image.ts";
import { spool } from "../content/spool.ts";
import { isEncrypted } from "../copy/convert.ts";
import type { KeyOpener } from "../copy/encryption/key-wrap.ts";
import { decrypted } from "../copy/encryption/layer-cipher.ts";
import { type OpenedLock, openLock } from "../copy/encryption/layer-lock.ts";
import { arrivedLayer } from "../copy/layer-task.ts";
import { digestOf } from "../digest.ts";
import type { Reference } from "../reference.ts";
import type { ImageStore } from "../store/image-store.ts";
import type { Lease } from "../store/leases.ts";
import type { Transport } from "../transports/transport.ts";
import type { PullEvent } from "../types.ts";
import { verified } from "../verify/read.ts";
import type { ImageDocuments } from "./fetch-documents.ts";
import { DOWNLOADS } from "./fetch-layers.ts";
import { FirstFailure } from "./first-failure.ts";
import { Limiter } from "./limiter.ts";
import { LayerProgress } from "./progress.ts";

interface SealedParts {
  readonly store: ImageStore;
  readonly transport: Transport;
  readonly reference: Reference;
  readonly lease: Lease;
  readonly signal: AbortSignal;
  readonly emit: (event: PullEvent) => void;
}

/**
 * Fetches the layers that are encrypted and puts them into the content store as they were before, with a manifest that names those. What was
 * opened by an earlier pull is taken as it is, but only from who has the key.
 * Errors: `permission_denied` where no key fits, `data_loss` for content that is not what its annotations say.
 */
export async function decryptLayers(
  parts: SealedParts,
  documents: ImageDocuments,
  keys: readonly KeyOpener[],
): Promise<ImageDocuments> {
  const { layers } = documents.manifest;
  const locks = await Promise.all(layers.map((layer) => (isEncrypted(layer) ? unlock(layer, keys) : undefined)));
  const manifest = openedBefore(parts, documents) ?? (await opened(parts, documents.manifest, locks));
  const bytes = Buffer.from(JSON.stringify(manifest));
  const { mediaType } = documents.manifestDescriptor;
  const manifestDescriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  parts.lease.protect([manifestDescriptor.digest]);
  parts.store.content.put(bytes, manifestDescriptor);
  const indexes = [...documents.indexes, documents.manifestDescriptor.digest];
  // Signatures are of the manifest that came; the policy has seen them.
  return { ...documents, manifest, manifestDescriptor, indexes, signatures: [] };
}

function unlock(layer: Descriptor, keys: readonly KeyOpener[]): Promise<OpenedLock> {
  if (keys.length > 0) return openLock(layer, keys);
  throw new GalleyError("permission_denied", "the layer is encrypted: missing private key needed for decryption", {
    op: "decrypt",
    subject: layer.digest,
    hint: "name the key's file with --decryption-key",
  });
}

/** The manifest that an earlier pull made of this one, if all that it names is there. */
function openedBefore({ store, lease }: SealedParts, documents: ImageDocuments): ImageManifest | undefined {
  const { config, layers } = documents.manifest;
  const row = store.table.byId(config.digest);
  if (row === undefined || !store.table.blobsOf(row.id).includes(documents.manifestDescriptor.digest)) return undefined;
  const bytes = store.content.tryRead({ digest: row.manifest_digest, size: row.manifest_size });
  if (bytes === undefined) return undefined;
  const manifest = JSON.parse(Buffer.from(bytes).toString("utf8")) as ImageManifest;
  lease.protect(manifest.layers.map(({ digest }) => digest));
  const isThere = manifest.layers.every((layer) => !isEncrypted(layer) && store.content.has(layer));
  return isThere && manifest.layers.length === layers.length ? manifest : undefined;
}

async function opened(
  parts: SealedParts,
  manifest: ImageManifest,
  locks: readonly (OpenedLock | undefined)[],
): Promise<ImageManifest> {
  const race = new FirstFailure(parts.signal);
  const [downloads, shared] = [new Limiter(DOWNLOADS), { ...parts, signal: race.signal }];
  const layers = manifest.layers.map((layer, position) => {
    const lock = locks[position];
    return lock === undefined ? layer : race.watch(downloads.run(() => openLayer(shared, layer, lock)));
  });
  await Promise.allSettled(layers);
  race.throwIfFailed();
  return { ...manifest, layers: await Promise.all(layers) };
}

async function openLayer(parts: SealedParts, layer: Descriptor, lock: OpenedLock): Promise<Descriptor> {
  const { store, transport, reference, lease, signal } = parts;
  signal.throwIfAborted();
  const progress = new LayerProgress(layer, parts.emit);
  const onRetry = progress.retrying.bind(progress);
  const source = counted(transport.fetchBlob(reference, layer, { signal, onRetry }), progress);
  using plain = await spool(store.content, decrypted(verified(source, layer), lock, lock.hmac), signal);
  lease.protect([plain.digest]);
  plain.place();
  progress.status("complete");
  const { digest, size } = plain;
  return arrivedLayer({ blob: layer, what: "layer", stays: false, changes: { unlock: lock } }, { digest, size });
}

async function* counted(source: AsyncIterable<Uint8Array>, progress: LayerProgress): AsyncGenerator<Uint8Array> {
  let current = 0;
  for await (const chunk of source) {
    current += chunk.length;
    progress.downloading(current);
    yield chunk;
  }
}
