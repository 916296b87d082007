import { GalleyError } from "../errors.ts";
import { readTar, type TarMember } from "../image/layers/tar/read-tar.ts";
import { hostPlatform, parsePlatform } from "../image/platform.ts";
import { decompress } from "../image/pull/decompress.ts";
import { choose, MAX_CONFIG, MAX_DEPTH } from "../image/pull/fetch-documents.ts";
import { parseConfig, parseManifest } from "../image/pull/manifests.ts";
import { openSource } from "../image/transports/open-place.ts";
import type { Source } from "../image/transports/place.ts";
import { parsePlace } from "../image/transports/place-name.ts";
import type { TransportOptions } from "../image/transports/transport.ts";
import { readCapped, tooLarge, verified, verifyBytes } from "../image/verify/read.ts";
import { REMEDY } from "../image/verify/remedy.ts";
import type { Descriptor, ImageConfig, ImageManifest } from "../spec/image.ts";
import { type PlaceRequest, placeOptions } from "./places.ts";

/** An image at a place, to be looked into; `await using` closes it. */
export interface OpenedImage extends AsyncDisposable {
  /** Digest of the manifest. */
  readonly digest: string;
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
  /** Bottom first. */
  readonly layers: readonly ImageLayer[];
}

/** A layer where it is; each reading fetches it anew and checks it against both of its digests. */
export interface ImageLayer {
  readonly descriptor: Descriptor;
  /** Digest of the tar. */
  readonly diffId: string;
  /** The tar, uncompressed. A fault is told after the last byte. */
  tar(options?: { readonly signal?: AbortSignal }): AsyncIterable<Uint8Array>;
  /** What is in it, in the order of the tar. A body is to be read before the next member is asked for, or is skipped. */
  members(options?: { readonly signal?: AbortSignal }): AsyncIterable<TarMember>;
}

/** Reads the documents of an image at a place; of a list, those of the image for a platform. Nothing of the layers is fetched yet. */
export async function openImage(
  place: string,
  request: PlaceRequest & { readonly platform?: string } = {},
): Promise<OpenedImage> {
  const source = await openSource(parsePlace(place), placeOptions(request));
  try {
    const { platform, signal } = request;
    return await read(source, {
      ...(platform === undefined ? {} : { platform }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (failure) {
    await source.close();
    throw failure;
  }
}

async function read(
  source: Source,
  { platform, ...options }: TransportOptions & { readonly platform?: string },
): Promise<OpenedImage> {
  const { descriptor, manifest } = await manifestOf(source, platform, options);
  const config = parseConfig(await configOf(source, manifest.config, options), manifest, source.name);
  const layers = manifest.layers.map((blob, position) => layerOf(source, blob, config.rootfs.diff_ids[position] ?? ""));
  return { digest: descriptor.digest, manifest, config, layers, [Symbol.asyncDispose]: () => source.close() };
}

async function manifestOf(source: Source, platform: string | undefined, options: TransportOptions) {
  const wanted = platform === undefined ? hostPlatform() : parsePlatform(platform);
  let document = await source.document(undefined, options);
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const parsed = parseManifest(document.bytes, document.descriptor, source.name);
    if (parsed.kind === "manifest") return { descriptor: document.descriptor, manifest: parsed.manifest };
    document = await source.document(choose(parsed.index, wanted, source.name), options);
  }
  throw new GalleyError("data_loss", `more than ${MAX_DEPTH} indexes lead one to another`, {
    op: "open",
    subject: source.name,
    hint: REMEDY,
  });
}

async function configOf(source: Source, config: Descriptor, options: TransportOptions): Promise<Uint8Array> {
  if (config.size > MAX_CONFIG) throw tooLarge(config.digest, MAX_CONFIG);
  const bytes = await readCapped(source.blob(config, options), MAX_CONFIG, config.digest);
  verifyBytes(bytes, config);
  return bytes;
}

function layerOf(source: Source, descriptor: Descriptor, diffId: string): ImageLayer {
  const tar: ImageLayer["tar"] = (options = {}) =>
    verified(decompress(verified(source.blob(descriptor, options), descriptor)), { digest: diffId });
  return { descriptor, diffId, tar, members: (options) => readTar(tar(options)) };
}
