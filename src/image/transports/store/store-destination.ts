import { GalleyError } from "../../../errors.ts";
import { type Descriptor, type ImageConfig, type ImageManifest, mediaTypes } from "../../../spec/image.ts";
import { LayerFile } from "../../content/layer-file.ts";
import { fetchLayer, type LayerParts } from "../../pull/fetch-layer.ts";
import { Limiter, UNPACKING } from "../../pull/limiter.ts";
import { parseConfig, parseManifest } from "../../pull/manifests.ts";
import { LayerProgress } from "../../pull/progress.ts";
import { parseReference, type Reference } from "../../reference.ts";
import { Batch } from "../../store/batch.ts";
import { nameOf } from "../../store/find.ts";
import type { ImageStore } from "../../store/image-store.ts";
import { encodeSignature } from "../../trust/signature.ts";
import { readCapped } from "../../verify/read.ts";
import { DirectorySink, type Written } from "../files/file-sink.ts";
import type { Destination, Document, NewBlob, Reuse, SignatureKeeper, Source, Traits } from "../place.ts";
import type { BlobOptions, TransportOptions } from "../transport.ts";

/** Blobs up to this size, in bytes, that are no layers are taken in memory. */
const SMALL = 8 << 20;

const nowhere: Reference = { domain: "localhost", path: "copy" };

/**
 * An image that is added to Galley's store. Layers are unpacked while they arrive where it is known what they unpack to. Nobody
 * sees anything of it before the commit, its own or that of the batch that it belongs to.
 */
export class StoreDestination implements Destination {
  readonly name: string;
  readonly traits: Traits = {
    manifests: [mediaTypes.ociManifest, mediaTypes.dockerManifest],
    lists: false,
    layers: "any",
  };
  private readonly store: ImageStore;
  readonly #sizes = new Map<string, number>();
  readonly #unpacking = new Limiter(UNPACKING);
  #root: Document | undefined;
  #imageId: string | undefined;
  #signatures: readonly Uint8Array[] = [];
  #ended = false;

  private constructor(
    private readonly batch: Batch,
    private readonly names: readonly string[],
    private readonly isAlone: boolean,
  ) {
    this.store = batch.store;
    this.name = `containers-storage:${names[0] ?? ""}`;
  }

  /** @param names as people write them; none for an image that is known by its ID alone */
  static async open(store: ImageStore, names: readonly string[]): Promise<StoreDestination> {
    const full = fullNames(names);
    return new StoreDestination(await Batch.open(store), full, true);
  }

  /** A place in a batch, whose commit makes the image visible. */
  static of(batch: Batch, names: readonly string[]): StoreDestination {
    return new StoreDestination(batch, fullNames(names), false);
  }

  /** The digest of the image's configuration, once it was committed. */
  get imageId(): string {
    return this.#imageId ?? "";
  }

  /** A layer counts as present when it is unpacked too. */
  async reuse(_blob: Descriptor, _source: Source): Promise<Reuse> {
    return "absent";
  }

  async writeBlob(blob: NewBlob, { signal }: TransportOptions = {}): Promise<Written> {
    const { expected, diffId } = blob;
    if (expected === undefined) return this.#made(blob, signal);
    const descriptor = { mediaType: blob.mediaType, ...expected };
    if (diffId !== undefined) {
      this.batch.protect([expected.digest, diffId]);
      const fetch = () => this.#layer(blob, descriptor, diffId, signal);
      this.#sizes.set(diffId, await this.batch.layer(descriptor.digest, diffId, fetch));
    } else await this.#plain(blob, descriptor);
    return expected;
  }

  /** Downloads and unpacks as a pull does, one blob at a time from one stream. */
  #layer(
    blob: NewBlob,
    descriptor: Descriptor,
    diffId: string,
    signal = new AbortController().signal,
  ): Promise<number> {
    const { content, snapshotter, locks } = this.store;
    const fetchBlob = (_: Reference, __: Descriptor, { offset = 0, ...lending }: BlobOptions = {}) =>
      blob.open(offset, lending);
    const unused = () => Promise.reject(new GalleyError("internal", "layers only"));
    const transport = { resolve: unused, fetchManifest: unused, fetchBlob };
    const shared = { content, snapshotter, locks, transport, reference: nowhere, signal };
    const parts: LayerParts = { ...shared, downloads: new Limiter(1), unpacking: this.#unpacking };
    return fetchLayer(parts, { blob: descriptor, diffId, progress: new LayerProgress(descriptor, () => undefined) });
  }

  async #plain(blob: NewBlob, descriptor: Descriptor): Promise<void> {
    if (descriptor.size > SMALL) {
      const { content } = this.store;
      this.batch.protect([descriptor.digest]);
      if (!content.has(descriptor)) await content.putStream(blob.open(0), descriptor.digest);
      return;
    }
    this.batch.put(await readCapped(blob.open(0), SMALL, descriptor.digest), descriptor);
  }

  /** What a conversion makes is known when it is made; it is unpacked at the commit. */
  async #made(blob: NewBlob, signal: AbortSignal | undefined): Promise<Written> {
    const { content } = this.store;
    const sink = new DirectorySink(content.ingestDirectory);
    const name = `made-${crypto.randomUUID()}`;
    const written = await sink.writeBlob(blob, () => name, signal === undefined ? {} : { signal });
    this.batch.protect([written.digest]);
    content.adopt(name, written.digest);
    return written;
  }

  async writeDocument(document: Document, role: "root" | "part"): Promise<void> {
    const { digest, size } = document.descriptor;
    this.batch.put(document.bytes, { digest, size });
    if (role === "root") this.#root = document;
  }

  readonly signatures: SignatureKeeper = {
    check: async () => undefined,
    write: async (signatures, _document, role) => {
      if (role === "root") this.#signatures = signatures.map(encodeSignature);
    },
  };

  async commit({ signal }: TransportOptions = {}): Promise<void> {
    const root = this.#root;
    if (root === undefined) throw new GalleyError("internal", "nothing was copied", { op: "save", subject: this.name });
    const manifest = this.#manifest(root);
    const config = parseConfig(this.batch.read(manifest.config), manifest, this.name);
    await this.#unpackRest(manifest, config, signal);
    this.#add(root.descriptor, manifest, config);
    if (this.isAlone) await this.batch.commit();
    this.#ended = true;
  }

  #manifest({ bytes, descriptor }: Document): ImageManifest {
    const parsed = parseManifest(bytes, descriptor, this.name);
    if (parsed.kind === "manifest") return parsed.manifest;
    throw new GalleyError("internal", "a list was copied", { op: "save", subject: this.name });
  }

  async #unpackRest(manifest: ImageManifest, { rootfs }: ImageConfig, signal: AbortSignal | undefined): Promise<void> {
    const { content, locks, snapshotter } = this.store;
    const options = signal === undefined ? {} : { signal };
    this.batch.protect(rootfs.diff_ids);
    for (const [position, diffId] of rootfs.diff_ids.entries()) {
      const blob = manifest.layers[position];
      if (blob === undefined || this.#sizes.has(diffId)) continue;
      using _lock = await locks.take("layer", diffId, options);
      this.#sizes.set(diffId, (await snapshotter.apply(diffId, LayerFile.kept(content, blob), options)).size);
    }
  }

  #add(target: Descriptor, manifest: ImageManifest, config: ImageConfig): void {
    const layers = config.rootfs.diff_ids.map((diffId) => ({ diffId, size: this.#sizes.get(diffId) ?? 0 }));
    const blobs = [target, manifest.config, ...manifest.layers].map(({ digest }) => digest);
    const { digest: id, size: configSize } = manifest.config;
    const image = { id, configSize, manifest: target, layers, blobs, signatures: this.#signatures };
    this.batch.add({ image, names: this.names, target });
    this.#imageId = id;
  }

  async close(): Promise<void> {
    if (!this.#ended) this.batch.abandon();
    this.#ended = true;
    if (this.isAlone) await this.batch.close();
  }
}

function fullNames(names: readonly string[]): readonly string[] {
  return names.map((name) => nameOf(parseReference(name)));
}
