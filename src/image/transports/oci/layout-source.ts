import { GalleyError } from "../../../errors.ts";
import type { Descriptor, ImageIndex } from "../../../spec/image.ts";
import { parseDigest } from "../../digest.ts";
import { isDescriptor } from "../../pull/manifests.ts";
import { readCapped, tooLarge, verifyBytes } from "../../verify/read.ts";
import { REMEDY } from "../../verify/remedy.ts";
import { type FileSet, readJson } from "../files/file-set.ts";
import type { Document, Source } from "../place.ts";
import { type BlobOptions, MAX_MANIFEST } from "../transport.ts";

/** The annotation by which an index names its images (image-spec annotations.md). */
export const REF_NAME = "org.opencontainers.image.ref.name";

/** Bytes of an index of a layout: it may list many images. */
const MAX_INDEX = 64 << 20;

/** Which image of a layout or archive is meant: by its name there, by its place in the list, or the only one. */
export type Selection = { readonly name: string } | { readonly position: number } | undefined;

/** An image in an OCI layout (image-spec image-layout.md), in a directory or an archive. */
export class LayoutSource implements Source {
  constructor(
    readonly name: string,
    private readonly files: FileSet,
    private readonly selection: Selection,
    /** Where blobs are when the layout shares them with others. */
    private readonly blobs: FileSet = files,
  ) {}

  async document(descriptor?: Descriptor): Promise<Document> {
    const wanted = descriptor ?? this.select(await layoutIndex(this.files));
    if (wanted.size > MAX_MANIFEST) throw tooLarge(`${wanted.digest} in ${this.name}`, MAX_MANIFEST);
    const bytes = await readCapped(this.#read(wanted, 0), MAX_MANIFEST, wanted.digest);
    verifyBytes(bytes, wanted);
    const { mediaType, digest, size } = wanted;
    return { descriptor: { mediaType, digest, size }, bytes };
  }

  async *blob(descriptor: Descriptor, { offset = 0, signal }: BlobOptions = {}): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.#read(descriptor, offset)) {
      signal?.throwIfAborted();
      yield chunk;
    }
  }

  async *#read({ digest, size }: Descriptor, offset: number): AsyncGenerator<Uint8Array> {
    const path = this.blobs === this.files ? blobPath(digest) : blobPath(digest).slice("blobs/".length);
    const present = await this.blobs.size(path);
    if (present === undefined) throw missingBlob(this.name, digest);
    if (present !== size) {
      throw new GalleyError(
        "data_loss",
        `the content is of ${present} bytes and not of ${size} as its descriptor says`,
        {
          op: "read",
          subject: `${digest} in ${this.name}`,
          hint: REMEDY,
        },
      );
    }
    yield* this.blobs.read(path, offset);
  }

  /** The entry of the index that is meant. */
  select(index: ImageIndex): Descriptor {
    const { manifests } = index;
    const { selection } = this;
    if (selection === undefined) {
      const [only] = manifests;
      if (manifests.length === 1 && only !== undefined) return only;
      throw this.#unclear(manifests.length === 0 ? "it holds no image" : "it holds more than one image", manifests);
    }
    if ("position" in selection) {
      const found = manifests[selection.position];
      if (found !== undefined) return found;
      throw this.#unclear(`it holds ${manifests.length} images`, []);
    }
    const found = manifests.find(({ annotations }) => annotations?.[REF_NAME] === selection.name);
    if (found !== undefined) return found;
    throw this.#unclear(`it holds no image of the name ${JSON.stringify(selection.name)}`, manifests);
  }

  #unclear(message: string, manifests: readonly Descriptor[]): GalleyError {
    const names = manifests.flatMap(({ annotations }) => annotations?.[REF_NAME] ?? []).slice(0, 10);
    const hint = names.length === 0 ? {} : { hint: `it holds ${names.map((name) => JSON.stringify(name)).join(", ")}` };
    return new GalleyError("not_found", message, { op: "find image", subject: this.name, ...hint });
  }

  async close(): Promise<void> {
    await this.files.close();
    if (this.blobs !== this.files) await this.blobs.close();
  }
}

/** Reads and checks `oci-layout` and `index.json`. */
export async function layoutIndex(files: FileSet): Promise<ImageIndex> {
  const refuse = (message: string) =>
    new GalleyError("data_loss", message, { op: "read layout", subject: files.name, hint: REMEDY });
  if ((await files.size("index.json")) === undefined) {
    throw new GalleyError("not_found", "it is not an OCI layout: it holds no index.json", {
      op: "read layout",
      subject: files.name,
    });
  }
  if ((await files.size("oci-layout")) !== undefined) {
    const marker = (await readJson(files, "oci-layout", 64 << 10)) as { imageLayoutVersion?: unknown } | null;
    const version = marker?.imageLayoutVersion;
    if (typeof version !== "string" || !version.startsWith("1.")) {
      throw refuse(`its layout version ${JSON.stringify(version)} is not known`);
    }
  }
  const index = (await readJson(files, "index.json", MAX_INDEX)) as Partial<ImageIndex> | null;
  if (!Array.isArray(index?.manifests) || !index.manifests.every(isDescriptor)) {
    throw refuse("its index.json is not a list of descriptors");
  }
  return index as ImageIndex;
}

/** Path of a blob in a layout. */
export function blobPath(digest: string): string {
  const { algorithm, hex } = parseDigest(digest);
  return `blobs/${algorithm}/${hex}`;
}

/** The failure for a blob that an image needs and its place does not hold. */
export function missingBlob(name: string, digest: string): GalleyError {
  return new GalleyError("not_found", "it does not hold this content", {
    op: "read",
    subject: `${digest} in ${name}`,
    hint: REMEDY,
  });
}
