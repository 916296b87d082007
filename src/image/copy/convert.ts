import { GalleyError } from "../../errors.ts";
import { type Descriptor, type ImageIndex, type ImageManifest, mediaTypes } from "../../spec/image.ts";

/** Whose manifests: OCI's, or Docker's version 2 schema 2. */
export type Format = "oci" | "v2s2";

type Plain = "none" | "gzip" | "zstd";

/** What media types of encrypted layers end with; only OCI's have it. */
export const ENCRYPTED = "+encrypted";

/** Whether a layer's content can be read with a key alone. */
export function isEncrypted({ mediaType }: Descriptor): boolean {
  return mediaType.endsWith(ENCRYPTED);
}

/** Layer types of both formats by what is in them; a column stands for one kind of layer. */
const layerTypes = {
  oci: { none: mediaTypes.ociLayer, gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd },
  v2s2: { none: mediaTypes.dockerLayer, gzip: mediaTypes.dockerLayerGzip, zstd: undefined },
} as const;

const foreignTypes = {
  oci: {
    none: mediaTypes.ociForeignLayer,
    gzip: mediaTypes.ociForeignLayerGzip,
    zstd: mediaTypes.ociForeignLayerZstd,
  },
  v2s2: { none: mediaTypes.dockerForeignLayer, gzip: mediaTypes.dockerForeignLayerGzip, zstd: undefined },
} as const;

const plain: readonly Plain[] = ["none", "gzip", "zstd"];
const formats: readonly Format[] = ["oci", "v2s2"];

/** What a layer's media type says of it; `undefined` for one that is no file system's layer, or encrypted. */
export function layerKind(mediaType: string): { readonly compression: Plain; readonly foreign: boolean } | undefined {
  for (const compression of plain) {
    for (const format of formats) {
      if (layerTypes[format][compression] === mediaType) return { compression, foreign: false };
      if (foreignTypes[format][compression] === mediaType) return { compression, foreign: true };
    }
  }
  return undefined;
}

/** A format's media type for a layer; `undefined` where the format has none: Docker's knows no zstd. */
export function layerType(format: Format, compression: Plain, foreign: boolean): string | undefined {
  return (foreign ? foreignTypes : layerTypes)[format][compression];
}

/** Whose format a document is in. */
export function formatOfType(mediaType: string): Format {
  return mediaType === mediaTypes.dockerManifest || mediaType === mediaTypes.dockerList ? "v2s2" : "oci";
}

/** The manifest's or index's media type in a format. */
export function documentType(format: Format, kind: "manifest" | "index"): string {
  if (kind === "index") return format === "oci" ? mediaTypes.ociIndex : mediaTypes.dockerList;
  return format === "oci" ? mediaTypes.ociManifest : mediaTypes.dockerManifest;
}

/**
 * The manifest in another format, with these layers in place of its own. The configuration's bytes are the same in both. Docker's
 * format has no place for annotations and subjects: they are left out, as everybody does.
 */
export function convertManifest(
  manifest: ImageManifest,
  format: Format,
  layers: readonly Descriptor[],
  subject: string,
): ImageManifest {
  const config = { ...manifest.config, mediaType: format === "oci" ? mediaTypes.ociConfig : mediaTypes.dockerConfig };
  const converted = layers.map((layer) => convertLayer(layer, format, subject));
  const mediaType = documentType(format, "manifest");
  if (format === "oci") return { ...manifest, mediaType, config, layers: converted };
  return { schemaVersion: 2, mediaType, config: bare(config), layers: converted.map(bare) };
}

function convertLayer(layer: Descriptor, format: Format, subject: string): Descriptor {
  if (format === "oci" && layer.mediaType.endsWith(ENCRYPTED)) return layer;
  const kind = layerKind(layer.mediaType);
  const mediaType = kind === undefined ? undefined : layerType(format, kind.compression, kind.foreign);
  if (mediaType !== undefined) return { ...layer, mediaType };
  throw new GalleyError("failed_precondition", `${name(format)} has no layers of the type ${layer.mediaType}`, {
    op: "convert image",
    subject,
  });
}

function name(format: Format): string {
  return format === "oci" ? "OCI's format" : "Docker's format (v2s2)";
}

function bare({ mediaType, digest, size, urls }: Descriptor): Descriptor {
  return { mediaType, size, digest, ...(urls === undefined ? {} : { urls }) };
}

/** An index in a format, of these entries. */
export function convertIndex(index: ImageIndex, format: Format, manifests: readonly Descriptor[]): ImageIndex {
  const mediaType = documentType(format, "index");
  if (format === "oci") return { ...index, mediaType, manifests };
  const entries = manifests.map(({ mediaType: type, digest, size, platform }) => ({
    mediaType: type,
    size,
    digest,
    ...(platform === undefined ? {} : { platform }),
  }));
  return { schemaVersion: 2, mediaType, manifests: entries };
}
