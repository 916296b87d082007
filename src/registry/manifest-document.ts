import { tryParseDigest } from "../image/digest.ts";
import { type JsonObject, jsonObject } from "../image/json-object.ts";
import { parseDocument } from "../image/pull/manifests.ts";
import { type Descriptor, mediaTypes } from "../spec/image.ts";
import { Refusal } from "./refusal.ts";

/** What the registry needs to know of a manifest; it is kept as it came. */
export interface ReceivedManifest {
  readonly mediaType: string;
  /** Blobs that must be in the repository. */
  readonly blobs: readonly Descriptor[];
  readonly subject?: string;
}

/** What a list of referrers says of a manifest (distribution-spec "Listing Referrers"). */
export interface ReferrerDetails {
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const images: ReadonlySet<string> = new Set([mediaTypes.ociManifest, mediaTypes.dockerManifest]);
const indexes: ReadonlySet<string> = new Set([mediaTypes.ociIndex, mediaTypes.dockerList]);

/**
 * Reads a pushed manifest; `declared` is its Content-Type. An image's blobs must be there; what an index lists may come later or never,
 * as in copies of some platforms only. Documents of other types are taken if they are JSON objects. Refusals are MANIFEST_INVALID.
 */
export function readManifest(bytes: Uint8Array, declared: string | null): ReceivedManifest {
  const document = parseObject(bytes);
  const said = typeof document.mediaType === "string" ? document.mediaType : undefined;
  const type = declared?.split(";", 1)[0]?.trim() || undefined;
  if (said !== undefined && type !== undefined && said !== type) {
    throw invalid(`its mediaType is ${said} where the Content-Type is ${type}`);
  }
  const mediaType = said ?? type ?? (Array.isArray(document.manifests) ? mediaTypes.ociIndex : mediaTypes.ociManifest);
  if (document.schemaVersion === 1) throw invalid("manifests of schema 1 are not supported");
  const subject = subjectOf(document);
  return { mediaType, blobs: blobsOf(bytes, mediaType), ...(subject === undefined ? {} : { subject }) };
}

function blobsOf(bytes: Uint8Array, mediaType: string): readonly Descriptor[] {
  if (!images.has(mediaType) && !indexes.has(mediaType)) return [];
  try {
    const document = parseDocument(bytes, { mediaType, digest: "", size: bytes.length }, "manifest");
    if (document.kind === "index") return [];
    const { config, layers } = document.manifest;
    return [config, ...layers].filter((blob) => !isElsewhere(blob));
  } catch (failure) {
    throw invalid((failure as Error).message);
  }
}

/** Layers that are not to be distributed are where their URLs say. */
function isElsewhere({ mediaType, urls }: Descriptor): boolean {
  return /foreign|nondistributable/.test(mediaType) || (urls ?? []).length > 0;
}

function subjectOf({ subject }: JsonObject): string | undefined {
  if (subject === undefined || subject === null) return undefined;
  const { digest } = subject as { readonly digest?: unknown };
  if (typeof digest === "string" && tryParseDigest(digest) !== undefined) return digest;
  throw invalid("its subject is not a descriptor");
}

/** Reads what a list of referrers says of a manifest that is kept. */
export function referrerDetails(bytes: Uint8Array): ReferrerDetails {
  const { artifactType, config, annotations } = parseObject(bytes);
  const type = artifactType || (config as { readonly mediaType?: unknown } | undefined)?.mediaType;
  return {
    ...(typeof type === "string" ? { artifactType: type } : {}),
    ...(typeof annotations === "object" && annotations !== null
      ? { annotations: annotations as Record<string, string> }
      : {}),
  };
}

function parseObject(bytes: Uint8Array): JsonObject {
  const object = jsonObject(bytes);
  if (object !== undefined) return object;
  throw invalid("it is not a JSON object");
}

function invalid(message: string): Refusal {
  return new Refusal("MANIFEST_INVALID", `manifest invalid: ${message}`);
}
