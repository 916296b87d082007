import { GalleyError, toGalleyError } from "../../errors.ts";
import { type Descriptor, type ImageIndex, mediaTypes } from "../../spec/image.ts";
import { hostPlatform, matchPlatform } from "../platform.ts";
import { MAX_DEPTH } from "../pull/fetch-documents.ts";
import { parseDocument, typeOfDocument } from "../pull/manifests.ts";
import type { Destination, Document, Source } from "../transports/place.ts";
import { readConfig } from "../transports/read-config.ts";
import { REMEDY } from "../verify/remedy.ts";
import { additions, markedWith } from "./added-compressions.ts";
import { chooseImage } from "./choose-image.ts";
import { convertIndex, documentType, type Format, formatOfType } from "./convert.ts";
import type { BlobParts } from "./copy-blob.ts";
import { copyManifest, madeDocument } from "./copy-manifest.ts";
import type { CopyOptions, CopyResult } from "./options.ts";
import { acceptImage, keptSignatures, type Role, type Signed, signed, writeSigned } from "./signing.ts";

export type { CompressionOptions } from "./compress.ts";
export type { Format } from "./convert.ts";
export type * from "./options.ts";

/**
 * Copies an image from one place to another. Layers stream from the one to the other, several at a time, without touching the
 * disk between them; what the destination holds already is not sent. Both places are closed by the caller.
 *
 * Without options the copy is what the source is, byte for byte, as far as the destination can hold that: an image for one
 * platform out of a list, Docker's format for archives, compressed layers for registries.
 */
export async function copyImage(
  source: Source,
  destination: Destination,
  options: CopyOptions = {},
): Promise<CopyResult> {
  const signal = options.signal ?? new AbortController().signal;
  const copy = new Copy({ source, destination, options, signal });
  try {
    const { descriptor, bytes } = await copy.root();
    await destination.commit({ signal });
    return { digest: descriptor.digest, mediaType: descriptor.mediaType, bytes };
  } catch (failure) {
    if (!signal.aborted) throw failure;
    const fault = toGalleyError(failure);
    if (fault.code === "canceled") throw fault;
    throw new GalleyError("canceled", "interrupted", { op: "copy", subject: source.name, cause: failure });
  }
}

class Copy {
  /** What an index names twice is copied once, and an index that names many others does not multiply. */
  readonly #copied = new Map<string, Descriptor>();

  constructor(private readonly parts: BlobParts) {}

  async root(): Promise<Document> {
    const { source, options, signal } = this.parts;
    const copied = await this.#chosen(await source.document(undefined, { signal }));
    options.onProgress?.({ kind: "document", digest: copied.document.descriptor.digest });
    await writeSigned(this.parts, copied, "root");
    return copied.document;
  }

  /** The copy of what the source's name leads to: of a list, the list or one of its images. */
  async #chosen(root: Document): Promise<Signed> {
    const { source, options, signal } = this.parts;
    let document = root;
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      const parsed = this.#parse(document);
      if (parsed.kind === "manifest" || (options.lists ?? "system") !== "system") {
        return this.#copy(document, 0, depth === 0 ? "root" : "part");
      }
      const chosen = chooseImage(parsed.index, options.platform ?? hostPlatform(), source.name);
      document = await source.document(chosen, { signal });
    }
    throw tooDeep(source);
  }

  #parse({ bytes, descriptor }: Document) {
    return parseDocument(bytes, descriptor, this.parts.source.name);
  }

  /** @param role of the document at the source */
  async #copy(document: Document, depth: number, role: Role): Promise<Signed> {
    const parsed = this.#parse(document);
    const type = typeOfDocument(parsed);
    if (parsed.kind === "index") {
      const kept = await keptSignatures(this.parts, document, role);
      const list = await this.#list({ document, type, index: parsed.index }, depth);
      if (kept.length > 0 && list.descriptor.digest !== document.descriptor.digest) throw breaksSignatures(this.parts);
      return signed(this.parts, list, kept);
    }
    // On its way already while it is found out whether the image may be used: it is small, and nothing is written before.
    const config = readConfig(this.parts.source, parsed.manifest, { signal: this.parts.signal });
    config.catch(() => undefined);
    await acceptImage(this.parts, document, role);
    const kept = await keptSignatures(this.parts, document, role);
    const parts =
      kept.length === 0 ? this.parts : { ...this.parts, options: { ...this.parts.options, unchanged: SIGNED } };
    const copied = await copyManifest(parts, { document, type, manifest: parsed.manifest, config });
    const whole = { ...document, descriptor: { ...document.descriptor, mediaType: type } };
    return signed(this.parts, copied === document ? whole : copied, kept);
  }

  async #list(
    { document, type, index }: { readonly document: Document; readonly type: string; readonly index: ImageIndex },
    depth: number,
  ): Promise<Document> {
    const { source, destination, options } = this.parts;
    if (depth === MAX_DEPTH) throw tooDeep(source);
    if (!destination.traits.lists) throw noLists(this.parts);
    const whole = { ...document, descriptor: { ...document.descriptor, mediaType: type } };
    if (options.lists === "index-only") return whole;
    const wanted = index.manifests.filter((entry) => isWanted(entry, options));
    if (wanted.length === 0 && index.manifests.length > 0) throw nothingWanted(source);
    const copied: Descriptor[] = [];
    for (const [position, entry] of wanted.entries()) {
      const { digest } = entry;
      if (depth === 0) options.onProgress?.({ kind: "image", digest, position: position + 1, count: wanted.length });
      copied.push(this.#described(entry, await this.#part(entry, depth)));
    }
    copied.push(...(await this.#added(copied, wanted, depth)));
    const format = this.#listFormat(type);
    const same =
      copied.length === index.manifests.length && copied.every((one, at) => one.digest === index.manifests[at]?.digest);
    if (same && documentType(format, "index") === type) return whole;
    if (options.preserveDigests === true) throw changesList(this.parts);
    return madeDocument(convertIndex(index, format, copied));
  }

  #described(entry: Descriptor, part: Pick<Descriptor, "mediaType" | "digest" | "size">): Descriptor {
    const { compression } = this.parts.options;
    const isChanged = part.digest !== entry.digest && part.mediaType === mediaTypes.ociManifest;
    return markedWith({ ...entry, ...part }, isChanged ? compression?.format : undefined);
  }

  /** The images of a list once more, in compressions that they are not in. */
  async #added(copied: readonly Descriptor[], wanted: readonly Descriptor[], depth: number): Promise<Descriptor[]> {
    const formats = this.parts.options.addedCompressions ?? [];
    const added: Descriptor[] = [];
    for (const { entry, format } of additions(copied, formats)) {
      const source = wanted[copied.indexOf(entry)] ?? entry;
      const options = { ...this.parts.options, compression: { format }, addedCompressions: [] };
      const part = await new Copy({ ...this.parts, options }).#part(source, depth);
      if (part.digest !== entry.digest) added.push(markedWith({ ...source, ...part }, format));
    }
    return added;
  }

  #listFormat(type: string): Format {
    const { destination, options } = this.parts;
    const own = formatOfType(type);
    const accepted = destination.traits.manifests;
    const asked = [options.compression?.format, ...(options.addedCompressions ?? [])];
    const zstd = asked.some((one) => one?.startsWith("zstd") === true);
    if (options.format !== undefined) return options.format;
    if (zstd) return "oci";
    return accepted === undefined || accepted.includes(documentType(own, "index")) ? own : "oci";
  }

  async #part(entry: Descriptor, depth: number): Promise<Pick<Descriptor, "mediaType" | "digest" | "size">> {
    const { source, signal } = this.parts;
    const before = this.#copied.get(entry.digest);
    if (before !== undefined) return before;
    const part = await this.#copy(await source.document(entry, { signal }), depth + 1, "part");
    await writeSigned(this.parts, part, "part");
    const { mediaType, digest, size } = part.document.descriptor;
    const copied = { mediaType, digest, size };
    this.#copied.set(entry.digest, copied);
    return copied;
  }
}

/** Entries that are for no platform, such as attestations, go with a list that is copied whole only. */
function isWanted({ platform }: Descriptor, { only }: CopyOptions): boolean {
  if (only === undefined) return true;
  return platform !== undefined && only.some((one) => matchPlatform(one, platform) === 0);
}

function tooDeep({ name }: Source): GalleyError {
  return new GalleyError("data_loss", `more than ${MAX_DEPTH} indexes lead one to another`, {
    op: "copy",
    subject: name,
    hint: REMEDY,
  });
}

function nothingWanted({ name }: Source): GalleyError {
  return new GalleyError("not_found", "the list holds no image for any of the platforms", {
    op: "copy",
    subject: name,
  });
}

const SIGNED = "and it is signed: signatures would be invalidated";

function breaksSignatures({ source, destination }: BlobParts): GalleyError {
  return new GalleyError("failed_precondition", `the list would change, ${SIGNED}`, {
    op: "copy",
    subject: `${source.name} to ${destination.name}`,
    hint: "leave the signatures out with --remove-signatures",
  });
}

function noLists({ source, destination }: BlobParts): GalleyError {
  const [transport] = destination.name.split(":", 1);
  return new GalleyError(
    "failed_precondition",
    `destination transport ${JSON.stringify(transport)} does not support copying multiple images as a group`,
    {
      op: "copy",
      subject: source.name,
      hint: "leave --all out to copy the image for one platform",
    },
  );
}

function changesList({ source, destination }: BlobParts): GalleyError {
  return new GalleyError("failed_precondition", "the list would have to change: Instructed to preserve digests", {
    op: "copy",
    subject: `${source.name} to ${destination.name}`,
  });
}
