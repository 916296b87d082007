import { GalleyError } from "../../../errors.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../../../spec/image.ts";
import { digestOf, tryParseDigest } from "../../digest.ts";
import { readHead } from "../../pull/decompress.ts";
import { decompressArchive } from "../../pull/decompress-archive.ts";
import { formatOf, oldFormatOf } from "../../pull/format.ts";
import { MAX_LAYERS, parseConfigObject } from "../../pull/manifests.ts";
import { canonicalName, parseReference, withDefaultTag } from "../../reference.ts";
import { REMEDY } from "../../verify/remedy.ts";
import { type FileSet, readJson, readSmall } from "../files/file-set.ts";
import type { Document, Source } from "../place.ts";
import { type BlobOptions, MAX_MANIFEST } from "../transport.ts";

/** Bytes of `manifest.json`, which may list many images. */
const MAX_LIST = 64 << 20;

/** Bytes of a configuration. */
const MAX_CONFIG = 8 << 20;

/** One image as `manifest.json` of a `docker save` archive lists it. Paths are those of the archive. */
export interface ArchivedImage {
  readonly config: string;
  /** As people write them; empty for an image without a name. */
  readonly tags: readonly string[];
  readonly layers: readonly string[];
}

/** The images of an archive in their order. What the list says is checked as far as it can be without the layers. */
export async function archivedImages(files: FileSet): Promise<readonly ArchivedImage[]> {
  if ((await files.size("manifest.json")) === undefined) {
    throw new GalleyError("not_found", "it is not an archive of docker save: it holds no manifest.json", {
      op: "read archive",
      subject: files.name,
    });
  }
  const list = await readJson(files, "manifest.json", MAX_LIST);
  if (!Array.isArray(list)) throw lying(files, "its manifest.json is not a list of images");
  return list.map((item: unknown, position) => archivedImage(files, item, position));
}

function archivedImage(files: FileSet, item: unknown, position: number): ArchivedImage {
  const { Config, RepoTags, Layers } = (item ?? {}) as Readonly<Record<string, unknown>>;
  const texts = (value: unknown): value is readonly string[] =>
    Array.isArray(value) && value.every((one) => typeof one === "string");
  if (typeof Config !== "string") throw lying(files, `image ${position} of its manifest.json has no Config`);
  if (!texts(Layers ?? [])) throw lying(files, `image ${position} of its manifest.json has Layers that are not names`);
  if (!texts(RepoTags ?? []))
    throw lying(files, `image ${position} of its manifest.json has RepoTags that are not names`);
  const layers = (Layers ?? []) as readonly string[];
  if (layers.length > MAX_LAYERS)
    throw lying(files, `image ${position} has ${layers.length} layers, more than ${MAX_LAYERS}`);
  return { config: Config, tags: (RepoTags ?? []) as readonly string[], layers };
}

/** The image that a reference or a place in the list means, or the only one. */
export function selectImage(
  files: FileSet,
  images: readonly ArchivedImage[],
  selection: { readonly tag: string } | { readonly position: number } | undefined,
): ArchivedImage {
  const [only] = images;
  if (selection === undefined) {
    if (images.length === 1 && only !== undefined) return only;
    throw unclear(files, images.length === 0 ? "it holds no image" : "it holds more than one image", images);
  }
  const found =
    "position" in selection
      ? images[selection.position]
      : images.find(({ tags }) => tags.some((tag) => sameName(tag, selection.tag)));
  if (found !== undefined) return found;
  const wanted = "position" in selection ? `number ${selection.position}` : JSON.stringify(selection.tag);
  throw unclear(files, `it holds no image ${wanted}`, images);
}

function sameName(tag: string, wanted: string): boolean {
  try {
    return canonicalName(withDefaultTag(parseReference(tag))) === canonicalName(withDefaultTag(parseReference(wanted)));
  } catch {
    return false; // A name that cannot be one is nobody's.
  }
}

function unclear(files: FileSet, message: string, images: readonly ArchivedImage[]): GalleyError {
  const tags = images.flatMap((image) => image.tags).slice(0, 10);
  const hint = tags.length === 0 ? {} : { hint: `it holds ${tags.map((tag) => JSON.stringify(tag)).join(", ")}` };
  return new GalleyError("not_found", message, { op: "find image", subject: files.name, ...hint });
}

function lying(files: FileSet, message: string): GalleyError {
  return new GalleyError("data_loss", message, { op: "read archive", subject: files.name, hint: REMEDY });
}

const types = { gzip: mediaTypes.dockerLayerGzip, zstd: mediaTypes.ociLayerZstd, tar: mediaTypes.dockerLayer } as const;

/** The rest of what comes after so many bytes. */
async function* without(bytes: number, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of chunks) {
    if (left < chunk.length) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

/**
 * An image in an archive of `docker save`, of either layout: layers as `ID/layer.tar`, or as `blobs/sha256/DIGITS`. Such an
 * archive has no manifest; a Docker manifest is made of what it holds. Layers are plain tars there, and named by their diff
 * IDs; some programs put compressed ones, whose digest is then computed.
 */
export class ArchiveSource implements Source {
  #document: Promise<Document> | undefined;
  /** Paths by digest. */
  readonly #paths = new Map<string, string>();
  /** Paths of layers in formats that no manifest has a type for; they are given as plain tars. */
  readonly #old = new Set<string>();

  constructor(
    readonly name: string,
    private readonly files: FileSet,
    private readonly image: ArchivedImage,
    /** Whether closing the source closes the archive. */
    private readonly own = true,
  ) {}

  async document(descriptor?: Descriptor): Promise<Document> {
    this.#document ??= this.#make();
    const document = await this.#document;
    if (descriptor === undefined || descriptor.digest === document.descriptor.digest) return document;
    throw new GalleyError("not_found", "an archive of docker save holds no such manifest", {
      op: "read",
      subject: `${descriptor.digest} in ${this.name}`,
    });
  }

  async #make(): Promise<Document> {
    const { config: path, layers } = this.image;
    if ((await this.files.size(path)) === undefined) throw this.#missing("configuration", path);
    const bytes = await readSmall(this.files, path, MAX_CONFIG);
    const { diffIds } = parseConfigObject(bytes, this.name);
    if (diffIds.length !== layers.length) {
      throw lying(this.files, `it lists ${layers.length} layers for ${path}, and the configuration ${diffIds.length}`);
    }
    const config = { mediaType: mediaTypes.dockerConfig, digest: digestOf(bytes), size: bytes.length };
    this.#checkName(path, config.digest);
    this.#paths.set(config.digest, path);
    const descriptors: Descriptor[] = [];
    for (const [position, layer] of layers.entries()) {
      descriptors.push(await this.#layer(layer, diffIds[position] ?? ""));
    }
    const manifest: ImageManifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.dockerManifest,
      config,
      layers: descriptors,
    };
    const content = Buffer.from(JSON.stringify(manifest));
    if (content.length > MAX_MANIFEST) throw lying(this.files, "its image is too large to be described by a manifest");
    return {
      bytes: content,
      descriptor: { mediaType: mediaTypes.dockerManifest, digest: digestOf(content), size: content.length },
    };
  }

  /** A file that is named by a digest has to have it. */
  #checkName(path: string, digest: string): void {
    const claimed = /(?:^|\/)([0-9a-f]{64})(?:\.json)?$/.exec(path)?.[1];
    if (claimed === undefined || `sha256:${claimed}` === digest) return;
    throw lying(this.files, `the configuration ${path} has the digest ${digest}`);
  }

  async #layer(path: string, diffId: string): Promise<Descriptor> {
    const size = await this.files.size(path);
    if (size === undefined) throw this.#missing("layer", path);
    const head = await this.#head(path);
    if (oldFormatOf(head) !== undefined) return this.#oldLayer(path, diffId);
    const type = types[formatOf(head)];
    const digest = type === mediaTypes.dockerLayer ? diffId : await this.#digest(path);
    this.#paths.set(digest, path);
    return { mediaType: type, digest, size };
  }

  async #oldLayer(path: string, digest: string): Promise<Descriptor> {
    let size = 0;
    for await (const chunk of decompressArchive(this.files.read(path))) size += chunk.length;
    this.#paths.set(digest, path);
    this.#old.add(path);
    return { mediaType: mediaTypes.dockerLayer, digest, size };
  }

  async #head(path: string): Promise<Uint8Array> {
    const iterator = this.files.read(path)[Symbol.asyncIterator]();
    try {
      return await readHead(iterator);
    } finally {
      await iterator.return?.();
    }
  }

  async #digest(path: string): Promise<string> {
    const claimed = `sha256:${/^blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1] ?? ""}`;
    if (tryParseDigest(claimed) !== undefined) return claimed; // Checked by whoever takes the blob.
    const hasher = new Bun.CryptoHasher("sha256");
    for await (const chunk of this.files.read(path)) hasher.update(chunk);
    return `sha256:${hasher.digest("hex")}`;
  }

  #missing(what: string, path: string): GalleyError {
    return new GalleyError(
      "data_loss",
      `its manifest.json names the ${what} ${JSON.stringify(path)}, which is not there`,
      {
        op: "read archive",
        subject: this.files.name,
        hint: REMEDY,
      },
    );
  }

  async *blob(descriptor: Descriptor, { offset = 0, signal }: BlobOptions = {}): AsyncGenerator<Uint8Array> {
    await this.document();
    const path = this.#paths.get(descriptor.digest);
    if (path === undefined) {
      throw new GalleyError("not_found", "it does not hold this content", {
        op: "read",
        subject: `${descriptor.digest} in ${this.name}`,
      });
    }
    const chunks = this.#old.has(path)
      ? without(offset, decompressArchive(this.files.read(path)))
      : this.files.read(path, offset);
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      yield chunk;
    }
  }

  async close(): Promise<void> {
    if (this.own) await this.files.close();
  }
}
