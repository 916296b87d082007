import { GalleyError } from "../../errors.ts";
import type { Descriptor } from "../../spec/image.ts";
import { digestOf } from "../digest.ts";
import { parseDocument } from "../pull/manifests.ts";
import type { Document, Source } from "../transports/place.ts";
import type { BlobOptions, TransportOptions } from "../transports/transport.ts";
import type { Signature } from "../trust/signature.ts";
import { FileSource } from "./file-source.ts";
import { indexOf, type ManifestList } from "./manifest-list.ts";

/** A list as a place to copy from: its index from the store, each image from where it is. */
export class ListSource implements Source {
  readonly name: string;
  readonly #opened = new Map<string, Promise<Source>>();
  /** Which source has a document or blob, by digest; known once what leads to it was read. */
  readonly #holders = new Map<string, Source>();

  constructor(
    private readonly list: ManifestList,
    private readonly open: (place: string) => Promise<Source>,
  ) {
    this.name = list.name;
  }

  async document(descriptor?: Descriptor, options?: TransportOptions): Promise<Document> {
    if (descriptor === undefined) return this.#index();
    const holder = await this.#holder(descriptor);
    const own = await ownDocument(holder, descriptor, options);
    const document = own ?? (await holder.document(descriptor, options));
    this.#note(holder, document);
    return document;
  }

  #index(): Document {
    const index = indexOf(this.list);
    const bytes = Buffer.from(JSON.stringify(index));
    return { bytes, descriptor: { mediaType: index.mediaType ?? "", digest: digestOf(bytes), size: bytes.length } };
  }

  async #holder({ digest }: Descriptor): Promise<Source> {
    const known = this.#holders.get(digest);
    if (known !== undefined) return known;
    const artifact = this.list.artifacts[digest];
    if (artifact !== undefined) return new FileSource(`${digest} of ${this.name}`, artifact);
    const place = this.list.sources[digest];
    if (place === undefined)
      throw new GalleyError("not_found", "nothing tells where this image is", {
        op: "read",
        subject: `${digest} of ${this.name}`,
      });
    const opened = this.#opened.get(place) ?? this.open(place);
    this.#opened.set(place, opened);
    return opened;
  }

  #note(holder: Source, { bytes, descriptor }: Document): void {
    const parsed = parseDocument(bytes, descriptor, holder.name);
    const parts =
      parsed.kind === "index" ? parsed.index.manifests : [parsed.manifest.config, ...parsed.manifest.layers];
    for (const { digest } of parts) this.#holders.set(digest, holder);
  }

  async *blob(descriptor: Descriptor, options?: BlobOptions): AsyncGenerator<Uint8Array> {
    yield* (await this.#holder(descriptor)).blob(descriptor, options);
  }

  /** Those that an image has where it is; a list that is put together has none itself. */
  async signatures(
    document: Document,
    role: "root" | "part",
    options?: TransportOptions,
  ): Promise<readonly Signature[]> {
    if (role === "root") return [];
    const holder = await this.#holder(document.descriptor);
    const own = await ownDocument(holder, document.descriptor, options);
    return (await holder.signatures?.(document, own === undefined ? "part" : "root", options)) ?? [];
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#opened.values());
    await Promise.all(opened.map((one) => (one.status === "fulfilled" ? one.value.close() : undefined)));
  }
}

/**
 * The document that a place's name leads to, where that is the one which is wanted: a directory keeps an image that is alone elsewhere
 * than those of a list. A registry knows everything by digest, and is not asked what a tag leads to.
 */
async function ownDocument(
  holder: Source,
  { digest }: Descriptor,
  options?: TransportOptions,
): Promise<Document | undefined> {
  if (holder.reference !== undefined) return undefined;
  const own = await holder.document(undefined, options);
  return own.descriptor.digest === digest ? own : undefined;
}
