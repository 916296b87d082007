import { GalleyError } from "../../errors.ts";
import type { Descriptor, ImageConfig, ImageIndex, ImageManifest, Platform } from "../../spec/image.ts";
import type { ContentStore } from "../content/content-store.ts";
import type { Accept } from "../copy/options.ts";
import { choosePlatform, formatPlatform } from "../platform.ts";
import { familiarName, type Reference } from "../reference.ts";
import type { Lease } from "../store/leases.ts";
import type { Transport, TransportOptions } from "../transports/transport.ts";
import type { Signature } from "../trust/signature.ts";
import { readCapped, tooLarge } from "../verify/read.ts";
import { REMEDY } from "../verify/remedy.ts";
import { parseConfig, parseManifest } from "./manifests.ts";

/** Size limit of configurations in bytes: history and labels make them larger than manifests at times. */
export const MAX_CONFIG = 8 << 20;

/** How many indexes may stand one in another. */
export const MAX_DEPTH = 4;

export interface DocumentParts {
  readonly content: ContentStore;
  readonly lease: Lease;
  readonly transport: Transport;
  readonly reference: Reference;
  readonly options: TransportOptions;
  readonly accept?: Accept | undefined;
}

/** The documents of the image of one platform, all of them in the store. */
export interface ImageDocuments {
  readonly manifestDescriptor: Descriptor;
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
  /** Digests of the indexes that led to the manifest. */
  readonly indexes: readonly string[];
  /** Of the manifest; unverified, unless the policy asked for it. */
  readonly signatures: readonly Signature[];
}

/** Fetches what describes the image that `target` leads to, as far as the store does not hold it already. */
export async function fetchDocuments(
  parts: DocumentParts,
  target: Descriptor,
  platform: Platform,
): Promise<ImageDocuments> {
  const subject = familiarName(parts.reference);
  const indexes: string[] = [];
  for (let descriptor = target; indexes.length < MAX_DEPTH; ) {
    const bytes = await fetchManifest(parts, descriptor);
    const document = parseManifest(bytes, descriptor, subject);
    if (document.kind === "manifest") {
      const { manifest } = document;
      const signatures = await accepted(parts, descriptor, bytes);
      const config = parseConfig(await fetchConfig(parts, manifest.config), manifest, subject);
      return { manifestDescriptor: plain(descriptor, manifest), manifest, config, indexes, signatures };
    }
    indexes.push(descriptor.digest);
    descriptor = choose(document.index, platform, subject);
  }
  throw new GalleyError("data_loss", `more than ${MAX_DEPTH} indexes lead one to another`, {
    op: "pull",
    subject,
    hint: REMEDY,
  });
}

/** Asks whether the image may be used, before more of it is fetched; gives the signatures that it has. */
async function accepted(
  { transport, reference, options, accept }: DocumentParts,
  { digest }: Descriptor,
  manifest: Uint8Array,
): Promise<readonly Signature[]> {
  const found = (await transport.signatures?.(reference, digest, options)) ?? [];
  await accept?.({ manifest, signatures: async () => found });
  return found;
}

/** The descriptor as it is kept: what it is, not how it was found. */
export function plain({ mediaType, digest, size }: Descriptor, document?: { readonly mediaType?: string }): Descriptor {
  return { mediaType: document?.mediaType ?? mediaType, digest, size };
}

/** An index has nothing for a platform: it is there itself, which `not_found` does not say. */
export class NoMatchingPlatform extends GalleyError {
  constructor(
    readonly platform: Platform,
    subject: string,
    private readonly offered: readonly string[],
    message = `no matching manifest for ${formatPlatform(platform)} in the manifest list entries`,
  ) {
    const hint =
      offered.length === 0 ? "the list is empty" : `it is offered for ${offered.join(", ")}; --platform chooses one`;
    super("not_found", message, { op: "pull", subject, hint });
  }

  /** The same in skopeo's words. */
  inSkopeosWords(): NoMatchingPlatform {
    const { os, architecture, variant = "" } = this.platform;
    const [arch, kind, system] = [architecture, variant, os].map((name) => JSON.stringify(name));
    const words = `parsing manifest for image: choosing image instance: no image found in manifest list for architecture ${arch}, variant ${kind}, OS ${system}`;
    return new NoMatchingPlatform(this.platform, this.subject ?? "", this.offered, words);
  }
}

/** The manifest of an index that suits a platform best; `not_found` says what the index offers. */
export function choose(index: ImageIndex, platform: Platform, subject: string): Descriptor {
  const chosen = choosePlatform(platform, index.manifests);
  if (chosen !== undefined) return chosen;
  const offered = index.manifests.flatMap((entry) =>
    entry.platform === undefined ? [] : [formatPlatform(entry.platform)],
  );
  const known = [...new Set(offered)].filter((name) => !name.startsWith("unknown"));
  // An index of one image that does not say what it is for.
  const [only] = index.manifests;
  if (index.manifests.length === 1 && only !== undefined && only.platform === undefined) return only;
  throw new NoMatchingPlatform(platform, subject, known);
}

async function fetchManifest({ content, lease, transport, reference, options }: DocumentParts, descriptor: Descriptor) {
  lease.protect([descriptor.digest]);
  const present = content.tryRead(descriptor);
  if (present !== undefined) return present;
  const bytes = await transport.fetchManifest(reference, descriptor, options);
  content.put(bytes, descriptor);
  return bytes;
}

async function fetchConfig({ content, lease, transport, reference, options }: DocumentParts, descriptor: Descriptor) {
  if (descriptor.size > MAX_CONFIG) throw tooLarge(descriptor.digest, MAX_CONFIG);
  lease.protect([descriptor.digest]);
  const present = content.tryRead(descriptor);
  if (present !== undefined) return present;
  const stream = transport.fetchBlob(reference, descriptor, options);
  const bytes = await readCapped(stream, MAX_CONFIG, descriptor.digest);
  content.put(bytes, descriptor);
  return bytes;
}
