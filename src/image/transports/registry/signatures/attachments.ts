import { toGalleyError } from "../../../../errors.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../../../../spec/image.ts";
import { digestOf } from "../../../digest.ts";
import { parseDocument } from "../../../pull/manifests.ts";
import { type Reference, repositoryOf } from "../../../reference.ts";
import { MAX_SIGNATURE, MAX_SIGNATURES, type SigstoreSignature } from "../../../trust/signature.ts";
import { readCapped, tooLarge, verifyBytes } from "../../../verify/read.ts";
import type { TransportOptions } from "../../transport.ts";
import { type Repository, referrersTag } from "../repository.ts";

/** What is needed of a registry's transport to read what is attached. */
export interface AttachmentReader {
  resolve(reference: Reference, options?: TransportOptions): Promise<Descriptor>;
  fetchManifest(reference: Reference, descriptor: Descriptor, options?: TransportOptions): Promise<Uint8Array>;
  fetchBlob(reference: Reference, descriptor: Descriptor, options?: TransportOptions): AsyncIterable<Uint8Array>;
}

/** The name of the image that holds the signatures of a manifest: the tag `ALGORITHM-HEX.sig` (cosign's SIGNATURE_SPEC.md). */
export function attachmentReference({ domain, path }: Reference, digest: string): Reference {
  return { domain, path, tag: `${referrersTag(digest)}.sig` };
}

/** Reads the manifest that holds signatures; `undefined` where there is none. */
async function readManifest(
  reader: AttachmentReader,
  reference: Reference,
  options: TransportOptions,
): Promise<ImageManifest | undefined> {
  try {
    const target = await reader.resolve(reference, options);
    const bytes = await reader.fetchManifest(reference, target, options);
    const read = parseDocument(bytes, target, repositoryOf(reference));
    return read.kind === "manifest" ? read.manifest : undefined;
  } catch (failure) {
    if (toGalleyError(failure).code === "not_found") return undefined;
    throw failure;
  }
}

async function content(
  reader: AttachmentReader,
  reference: Reference,
  blob: Descriptor,
  options: TransportOptions,
): Promise<Uint8Array> {
  if (blob.size > MAX_SIGNATURE) throw tooLarge(blob.digest, MAX_SIGNATURE);
  const bytes = await readCapped(reader.fetchBlob(reference, blob, options), MAX_SIGNATURE, blob.digest);
  verifyBytes(bytes, blob);
  return bytes;
}

/** All signatures that are attached to a manifest. */
export async function readAttachments(
  reader: AttachmentReader,
  image: Reference,
  digest: string,
  options: TransportOptions = {},
): Promise<readonly SigstoreSignature[]> {
  const reference = attachmentReference(image, digest);
  const manifest = await readManifest(reader, reference, options);
  const found: SigstoreSignature[] = [];
  for (const layer of (manifest?.layers ?? []).slice(0, MAX_SIGNATURES)) {
    const payload = await content(reader, reference, layer, options);
    const annotations = layer.annotations ?? {};
    found.push({ format: "sigstore-json", mediaType: layer.mediaType, payload, annotations });
  }
  return found;
}

/** Attaches signatures to a manifest, beside those that are there. */
export async function writeAttachments(
  { reader, repository, upload }: AttachmentWriter,
  image: Reference,
  digest: string,
  signatures: readonly SigstoreSignature[],
  options: TransportOptions = {},
): Promise<void> {
  const reference = attachmentReference(image, digest);
  const before = await readManifest(reader, reference, options);
  const layers = [...(before?.layers ?? [])];
  for (const { mediaType, payload, annotations } of signatures) {
    const layer = { mediaType, digest: digestOf(payload), size: payload.length, annotations };
    if (layers.some((one) => Bun.deepEquals({ ...one }, layer))) continue;
    await upload(payload, layer);
    layers.push(layer);
  }
  if (before !== undefined && layers.length === before.layers.length) return;
  // The layers are no file systems, but readers count them.
  const diffIds = layers.map((layer) => layer.digest);
  const made = { architecture: "", os: "", config: {}, rootfs: { type: "layers", diff_ids: diffIds } };
  const bytes = Buffer.from(JSON.stringify(made));
  const config = { mediaType: mediaTypes.ociConfig, digest: digestOf(bytes), size: bytes.length };
  await upload(bytes, config);
  const manifest = { ...(before ?? {}), schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers };
  const document = Buffer.from(JSON.stringify(manifest));
  const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(document), size: document.length };
  await repository.putManifest(document, descriptor, reference.tag ?? "", options);
}

/** What is needed of a registry to attach something. */
export interface AttachmentWriter {
  readonly reader: AttachmentReader;
  readonly repository: Repository;
  upload(bytes: Uint8Array, blob: Descriptor): Promise<void>;
}
