import { GalleyError } from "../../errors.ts";
import type { Descriptor } from "../../spec/image.ts";
import { isChanged } from "./changed-content.ts";
import { TABLE_POSITION } from "./chunked/annotations.ts";
import type { Compression, CompressionOptions } from "./compress.ts";
import { ENCRYPTED, type Format, isEncrypted, layerKind, layerType } from "./convert.ts";
import type { BlobParts, BlobTask, CopiedBlob } from "./copy-blob.ts";
import type { KeyWrapper } from "./encryption/key-wrap.ts";
import type { OpenedLock } from "./encryption/layer-lock.ts";
import type { CopyOptions } from "./options.ts";

/** A layer to be copied, and what becomes of it. */
export interface LayerTask extends BlobTask {
  readonly what: "layer";
  /** The layer stays where its vendor serves it. */
  readonly stays: boolean;
}

/**
 * What is to be done with each of an image's layers.
 * @param diffIds digests of their tars, which may be on their way yet
 */
export async function planLayers(
  parts: BlobParts,
  format: Format,
  layers: readonly Descriptor[],
  diffIds: Promise<readonly string[]>,
): Promise<readonly LayerTask[]> {
  const { encryption } = parts.options;
  const chosen = encryption === undefined ? new Set<number>() : positions(encryption.layers, layers.length);
  return Promise.all(
    layers.map(async (blob, position) => {
      const encrypt = chosen.has(position) && !isEncrypted(blob) ? encryption?.recipients : undefined;
      const unlock = await unlockFor(parts.options, blob);
      if (encrypt !== undefined || unlock !== undefined) requireChange(parts.options, blob, encrypt);
      return layerTask(parts, format, blob, {
        diffId: async () => (await diffIds)[position],
        ...{ encrypt, unlock },
      });
    }),
  );
}

/** Layers by their numbers from 0, or from -1 backwards; all where none is named. */
function positions(wanted: readonly number[], count: number): ReadonlySet<number> {
  if (wanted.length === 0) return new Set(Array(count).keys());
  const wrong = wanted.find((position) => position >= count || position < -count);
  if (wrong === undefined) return new Set(wanted.map((position) => (position < 0 ? position + count : position)));
  throw new GalleyError(
    "invalid_argument",
    `when choosing layers to encrypt, layer index ${wrong} out of range (${count} layers exist)`,
    { op: "encrypt" },
  );
}

async function unlockFor({ decryption }: CopyOptions, blob: Descriptor): Promise<OpenedLock | undefined> {
  if (decryption === undefined || !isEncrypted(blob)) return undefined;
  const { openLock } = await import("./encryption/layer-lock.ts");
  return openLock(blob, decryption);
}

function requireChange(options: CopyOptions, { digest }: Descriptor, encrypt: unknown): void {
  const why = options.preserveDigests === true ? "Instructed to preserve digests" : options.unchanged;
  if (why === undefined) return;
  const what = encrypt === undefined ? "decrypted" : "encrypted";
  throw new GalleyError("failed_precondition", `it should be ${what}, but the manifest must not change: ${why}`, {
    op: "copy",
    subject: digest,
  });
}

interface Known {
  readonly diffId: BlobTask["diffId"];
  readonly encrypt: readonly KeyWrapper[] | undefined;
  readonly unlock: OpenedLock | undefined;
}

function layerTask(parts: BlobParts, format: Format, blob: Descriptor, { diffId, encrypt, unlock }: Known): LayerTask {
  const kind = layerKind(unlock === undefined ? blob.mediaType : withoutLock(blob.mediaType));
  const stays = kind?.foreign === true && (blob.urls ?? []).length > 0 && parts.destination.traits.foreign === true;
  const current =
    kind?.compression === "zstd" && blob.annotations?.[TABLE_POSITION] !== undefined
      ? "zstd:chunked"
      : kind?.compression;
  const target =
    current === undefined || kind?.foreign === true ? undefined : targetCompression(parts, format, current);
  return { blob, what: "layer", diffId, changes: { unlock, compress: target, encrypt }, stays };
}

function withoutLock(mediaType: string): string {
  return mediaType.slice(0, -ENCRYPTED.length);
}

/** How a layer has to be compressed; `undefined` where it is to stay as it is. */
function targetCompression(
  { destination, options }: BlobParts,
  format: Format,
  current: Compression,
): CompressionOptions | undefined {
  const { layers } = destination.traits;
  if (layers === "plain") return current === "none" ? undefined : { format: "none" };
  if (options.preserveDigests === true || options.unchanged !== undefined) return undefined;
  const asked = options.compression;
  if (asked !== undefined) return isOf(current, asked) ? undefined : asked;
  if (format === "v2s2" && current.startsWith("zstd")) return { format: "gzip" };
  return layers === "compressed" && current === "none" ? { format: "gzip" } : undefined;
}

/** Whether a layer is compressed as asked for; zstd:chunked is zstd, too. */
function isOf(current: Compression, asked: CompressionOptions): boolean {
  return asked.level === undefined && (current === asked.format || current === `${asked.format}:chunked`);
}

/** Annotations that a change makes untrue: of places in the compressed content, and of how to decrypt it. */
const UNTRUE = /zstd-chunked|stargz|^org\.opencontainers\.image\.enc\./;

/** The layer at the destination, of an OCI type where it was changed: the manifest's conversion turns that into one of its own format. */
export function arrivedLayer({ blob, changes = {} }: LayerTask, copied: CopiedBlob): Descriptor {
  const { annotations: made, ...written } = copied;
  if (!isChanged(changes)) return blob;
  const { unlock } = changes;
  const { annotations: before = {}, ...rest } = blob;
  const annotations = { ...Object.fromEntries(Object.entries(before).filter(([key]) => !UNTRUE.test(key))), ...made };
  const said = Object.keys(annotations).length === 0 ? {} : { annotations };
  const mediaType = arrivedType(unlock === undefined ? blob.mediaType : withoutLock(blob.mediaType), changes);
  return { ...rest, mediaType, ...written, ...said };
}

function arrivedType(mediaType: string, { compress, encrypt }: NonNullable<BlobTask["changes"]>): string {
  const kind = layerKind(mediaType);
  const plain =
    compress === undefined ? kind?.compression : compress.format === "zstd:chunked" ? "zstd" : compress.format;
  const own = plain === undefined ? mediaType : layerType("oci", plain, kind?.foreign === true);
  return `${own ?? mediaType}${encrypt === undefined ? "" : ENCRYPTED}`;
}
