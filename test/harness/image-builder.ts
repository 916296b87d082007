import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Descriptor,
  type ImageConfig,
  type ImageExecConfig,
  type ImageIndex,
  type ImageManifest,
  mediaTypes,
  type Platform,
} from "../../src/spec/image.ts";
import { bytesOf, type TarEntry, tar } from "./tar.ts";

export type Compression = "none" | "gzip" | "zstd";

/** A layer's content: entries to archive, or the bytes of an archive that is already made (or spoiled). */
export interface LayerInput {
  readonly entries?: readonly TarEntry[];
  readonly archive?: Uint8Array;
  /** Default gzip. */
  readonly compression?: Compression;
  /** The stored bytes, where they are not the archive's own compression: a truncated gzip, for example. */
  readonly stored?: Uint8Array;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ImageInput {
  readonly layers: readonly LayerInput[];
  readonly config?: ImageExecConfig;
  /** Default: linux on this machine's architecture. */
  readonly platform?: Platform;
  /** Whose media types; default OCI. Docker's know no zstd. */
  readonly format?: "oci" | "docker";
  /** Changes the documents before they are digested. */
  readonly editConfig?: (config: ImageConfig) => unknown;
  readonly editManifest?: (manifest: ImageManifest) => unknown;
}

/** A document or layer as it is stored. */
export interface Blob {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** A manifest or index with everything below it. */
export interface BuiltImage extends Blob {
  /** Configurations and layers. */
  readonly blobs: readonly Blob[];
  /** An index's manifests; empty for a single image. */
  readonly manifests: readonly Blob[];
}

/** `sha256:` and the digest of the bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;
}

/** Debian's and OCI's name of this machine's architecture. */
export function hostArchitecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}

/** Makes an image of one platform. */
export function buildImage(input: ImageInput): BuiltImage {
  const docker = input.format === "docker";
  const layers = input.layers.map((layer) => buildLayer(layer, docker));
  const platform = input.platform ?? { os: "linux", architecture: hostArchitecture() };
  const config: ImageConfig = {
    ...platform,
    created: "2024-01-01T00:00:00Z",
    config: input.config ?? {},
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map((_, index) => ({ created: "2024-01-01T00:00:00Z", created_by: `layer ${index}` })),
  };
  const configBlob = document(
    docker ? mediaTypes.dockerConfig : mediaTypes.ociConfig,
    input.editConfig?.(config) ?? config,
  );
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: docker ? mediaTypes.dockerManifest : mediaTypes.ociManifest,
    config: configBlob.descriptor,
    layers: layers.map((layer) => layer.blob.descriptor),
  };
  const blob = document(manifest.mediaType ?? "", input.editManifest?.(manifest) ?? manifest);
  const descriptor = { ...blob.descriptor, platform };
  return { descriptor, bytes: blob.bytes, blobs: [configBlob, ...layers.map((layer) => layer.blob)], manifests: [] };
}

/** Makes an index (a manifest list in Docker's format) of several images. */
export function buildIndex(images: readonly BuiltImage[], format: "oci" | "docker" = "oci"): BuiltImage {
  const mediaType = format === "docker" ? mediaTypes.dockerList : mediaTypes.ociIndex;
  const index: ImageIndex = { schemaVersion: 2, mediaType, manifests: images.map((image) => image.descriptor) };
  return { ...document(mediaType, index), blobs: images.flatMap((image) => image.blobs), manifests: images };
}

/** A blob holding the JSON of a document. */
export function document(mediaType: string, value: unknown): Blob {
  return blobOf(mediaType, bytesOf(JSON.stringify(value)));
}

function blobOf(mediaType: string, bytes: Uint8Array, extra: Partial<Descriptor> = {}): Blob {
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length, ...extra }, bytes };
}

function buildLayer(layer: LayerInput, docker: boolean): { readonly blob: Blob; readonly diffId: string } {
  const archive = layer.archive ?? tar(layer.entries ?? []);
  const compression = layer.compression ?? "gzip";
  const extra = layer.annotations === undefined ? {} : { annotations: layer.annotations };
  const blob = blobOf(layerType(compression, docker), layer.stored ?? compress(archive, compression), extra);
  return { blob, diffId: digestOf(archive) };
}

function layerType(compression: Compression, docker: boolean): string {
  if (docker) return compression === "none" ? mediaTypes.dockerLayer : mediaTypes.dockerLayerGzip;
  if (compression === "none") return mediaTypes.ociLayer;
  return compression === "zstd" ? mediaTypes.ociLayerZstd : mediaTypes.ociLayerGzip;
}

/** The bytes in the given compression. */
export function compress(bytes: Uint8Array, compression: Compression): Uint8Array {
  if (compression === "none") return bytes;
  const input = new Uint8Array(bytes);
  return compression === "gzip" ? Bun.gzipSync(input) : new Uint8Array(Bun.zstdCompressSync(input));
}

/** Writes an OCI image layout (image-spec image-layout.md) with one tag to a new directory. */
export function writeLayout(folder: string, tag: string, image: BuiltImage): void {
  const blobs = join(folder, "blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  for (const { descriptor, bytes } of [image, ...image.manifests, ...image.blobs]) {
    writeFileSync(join(blobs, descriptor.digest.replace("sha256:", "")), bytes);
  }
  const annotations = { "org.opencontainers.image.ref.name": tag };
  const index: ImageIndex = { schemaVersion: 2, manifests: [{ ...image.descriptor, annotations }] };
  writeFileSync(join(folder, "index.json"), JSON.stringify(index));
  writeFileSync(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
}
