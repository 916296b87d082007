import type { Descriptor, Platform } from "../../spec/image.ts";
import { hostPlatform } from "../platform.ts";
import { choose, MAX_CONFIG } from "../pull/fetch-documents.ts";
import { isImage, parseConfigObject, parseDocument, typeOfDocument } from "../pull/manifests.ts";
import type { Document, Source } from "../transports/place.ts";
import type { TransportOptions } from "../transports/transport.ts";
import { readCapped, tooLarge, verifyBytes } from "../verify/read.ts";

/** Which images of a place go into a list. */
export interface EntryRequest extends TransportOptions {
  /** Where the place has a list: all of its images. */
  readonly all: boolean;
  /** Where the place has a list: the machine that the one image is for; by default this one. */
  readonly platform?: Platform;
}

/** What a list says of the images of a place. */
export async function entriesOf(source: Source, request: EntryRequest): Promise<readonly Descriptor[]> {
  const root = await source.document(undefined, request);
  const parsed = parseDocument(root.bytes, root.descriptor, source.name);
  if (parsed.kind === "manifest") return [await described(source, root, request)];
  if (request.all) return parsed.index.manifests;
  const chosen = choose(parsed.index, request.platform ?? hostPlatform(), source.name);
  const { mediaType, digest, size, platform, annotations } = chosen;
  return [{ mediaType, size, digest, ...(platform && { platform }), ...(annotations && { annotations }) }];
}

/** The descriptor of an image with the platform that its configuration tells. */
async function described(source: Source, document: Document, options: TransportOptions): Promise<Descriptor> {
  const { descriptor, bytes } = document;
  const parsed = parseDocument(bytes, descriptor, source.name);
  const own = { mediaType: typeOfDocument(parsed), size: descriptor.size, digest: descriptor.digest };
  if (parsed.kind === "index" || !isImage(parsed.manifest)) return own;
  const platform = await platformOf(source, parsed.manifest.config, options);
  return { ...own, platform };
}

async function platformOf(source: Source, config: Descriptor, options: TransportOptions): Promise<Platform> {
  if (config.size > MAX_CONFIG) throw tooLarge(config.digest, MAX_CONFIG);
  const bytes = await readCapped(source.blob(config, options), MAX_CONFIG, config.digest);
  verifyBytes(bytes, config);
  const { document } = parseConfigObject(bytes, source.name);
  const text = (key: string) => (typeof document[key] === "string" ? document[key] : "");
  const optional = (["os.version", "variant"] as const).filter((key) => text(key) !== "");
  return {
    architecture: text("architecture"),
    os: text("os"),
    ...Object.fromEntries(optional.map((key) => [key, text(key)])),
  };
}
