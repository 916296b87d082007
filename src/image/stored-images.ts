import type { Database } from "bun:sqlite";
import { GalleyError } from "../errors.ts";
import type { ImageManifest } from "../spec/image.ts";
import type { StorePaths } from "../state/paths.ts";
import type { Accept } from "./copy/options.ts";
import { familiarName, parseReference, withDefaultTag } from "./reference.ts";
import type { Snapshotter } from "./snapshot/snapshotter.ts";
import { findRow, nameOf, noSuchImage, recordOf, suits } from "./store/find.ts";
import { ImageStore } from "./store/image-store.ts";
import type { InUse } from "./store/remove.ts";
import type { Destination, Source } from "./transports/place.ts";
import type {
  HistoryRow,
  ImageBatch,
  ImageContent,
  ImageRecord,
  ImageSource,
  Images,
  LayerFacts,
  LayerOnTop,
  ListOptions,
  PruneOptions,
  PruneResult,
  PullOptions,
  PullResult,
  RemovedItem,
  RemoveOptions,
} from "./types.ts";
import { filterImages } from "./views/filters.ts";
import { historyOf } from "./views/history.ts";

export interface StoredImagesOptions {
  readonly database: Database;
  readonly paths: StorePaths;
  readonly snapshotter: Snapshotter;
  readonly inUse: InUse;
}

/**
 * {@link Images} over the store. What a start of a container needs is here; everything else is loaded when it is first used,
 * because loading it takes longer than finding an image.
 */
export class StoredImages implements Images {
  readonly #store: ImageStore;
  readonly #inUse: InUse;
  readonly #layers: string;

  constructor(options: StoredImagesOptions) {
    this.#layers = options.paths.layers;
    this.#store = new ImageStore(options.database, options.paths.content, options.snapshotter);
    this.#inUse = options.inUse;
  }

  find(reference: string, options: { readonly platform?: string } = {}): ImageRecord | undefined {
    const { table, content } = this.#store;
    const row = findRow(table, reference);
    const image = row === undefined ? undefined : recordOf(table, content, row);
    return image !== undefined && suits(image, options.platform) ? image : undefined;
  }

  get(reference: string, options: { readonly platform?: string } = {}): ImageRecord {
    const image = this.find(reference, options);
    if (image === undefined) throw noSuchImage(reference, options.platform);
    return image;
  }

  ofContainer(id: string): ImageRecord {
    return this.#store.record(id);
  }

  async pull(reference: string, options: PullOptions = {}): Promise<PullResult> {
    const [{ pull }, { RegistryTransport }] = await Promise.all([
      import("./pull/pull.ts"),
      import("./transports/registry/registry.ts"),
    ]);
    const accept = options.accept ?? (await this.#policy(reference));
    const transport = new RegistryTransport({ credentials: options.credentials, ...options.registry });
    return pull(this.#store, transport, reference, { ...options, ...(accept === undefined ? {} : { accept }) });
  }

  /** The policy that is in force for an image of a registry; `undefined` where there is none. */
  async #policy(reference: string): Promise<Accept | undefined> {
    const { policyFor } = await import("./trust/in-force.ts");
    return policyFor({ transport: "docker", reference: withDefaultTag(parseReference(reference)) }, process.env);
  }

  async importImage(source: ImageSource, options: { readonly signal?: AbortSignal } = {}): Promise<ImageRecord> {
    const { importImage } = await import("./import.ts");
    return importImage(this.#store, source, options.signal);
  }

  async source(reference: string): Promise<Source> {
    const { StoreSource } = await import("./transports/store/store-source.ts");
    return new StoreSource(this.#store, reference);
  }

  async destination(names: readonly string[]): Promise<Destination & { readonly imageId: string }> {
    const { StoreDestination } = await import("./transports/store/store-destination.ts");
    return StoreDestination.open(this.#store, names);
  }

  async batch(): Promise<ImageBatch> {
    const [{ Batch }, { StoreDestination }] = await Promise.all([
      import("./store/batch.ts"),
      import("./transports/store/store-destination.ts"),
    ]);
    const batch = await Batch.open(this.#store);
    return {
      destination: (names) => StoreDestination.of(batch, names),
      get isDue() {
        return batch.isDue;
      },
      commit: () => batch.commit(),
      close: () => batch.close(),
    };
  }

  async addLayer(layer: LayerOnTop, options: { readonly signal?: AbortSignal } = {}): Promise<ImageRecord> {
    const { addLayer } = await import("./add-layer.ts");
    return addLayer(this.#store, layer, options.signal);
  }

  list(options: ListOptions = {}): readonly ImageRecord[] {
    const { table, content } = this.#store;
    const visible = table.all().filter((row) => row.hidden === 0);
    const names = Map.groupBy(table.allNames(), ({ image }) => image);
    const images = visible.map((row) => recordOf(table, content, row, names.get(row.id) ?? []));
    images.sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt) || a.id.localeCompare(b.id));
    return filterImages(images, options.filters ?? {}, {
      of: (reference) => this.get(reference),
      isUsed: (imageId) => this.#inUse(imageId).length > 0,
    });
  }

  tag(source: string, target: string): void {
    const name = checkedTag(target);
    this.#store.change((table) => {
      const row = findRow(table, source);
      if (row === undefined) throw noSuchImage(source);
      const { manifest_digest: digest, manifest_type: mediaType, manifest_size: size } = row;
      table.setName(name, row.id, { digest, mediaType, size });
      table.touch(row.id, new Date().toISOString());
    });
  }

  untag(reference: string, names: readonly string[]): void {
    const wanted = names.map((name) => nameOf(parseReference(name)));
    this.#store.change((table) => {
      const row = findRow(table, reference);
      if (row === undefined) throw noSuchImage(reference);
      const own = table.namesOf(row.id).map(({ name }) => name);
      const foreign = wanted.find((name) => !own.includes(name));
      if (foreign !== undefined) throw new GalleyError("not_found", "tag not known", { subject: foreign });
      for (const name of names.length === 0 ? own : wanted) table.dropName(name);
    });
  }

  contents(): readonly ImageContent[] {
    const { table } = this.#store;
    return table.all().map(({ id }) => ({
      id,
      blobs: table.blobsOf(id),
      layers: table.layersOf(id).map((layer) => layer.diff_id),
    }));
  }

  layers(reference: string): readonly LayerFacts[] {
    const rows = this.#store.table.layersOf(this.get(reference).id);
    return rows.map(({ diff_id: diffId, size }) => ({ diffId, size }));
  }

  async remove(reference: string, options: RemoveOptions = {}): Promise<readonly RemovedItem[]> {
    const { removeFromTables } = await import("./store/remove.ts");
    const { platform } = options;
    const removed = this.#store.change((table) => {
      if (platform !== undefined) this.get(reference, { platform });
      return removeFromTables(table, this.#inUse, reference, options);
    });
    if (removed.some((item) => "deleted" in item)) await this.collect();
    return removed;
  }

  async prune(options: PruneOptions = {}): Promise<PruneResult> {
    const { pruneImages } = await import("./store/prune.ts");
    const removed = pruneImages(this.#store, this.#inUse, this.list(filtersOf(options)), options.all === true);
    this.#store.leases.expireAll();
    return { removed, reclaimed: await this.collect() };
  }

  history(reference: string): readonly HistoryRow[] {
    const image = this.get(reference);
    return historyOf(
      image,
      this.#store.table.layersOf(image.id).map((layer) => layer.size),
    );
  }

  async inspect(reference: string): Promise<Record<string, unknown>> {
    const { inspectImage } = await import("./views/inspect.ts");
    const image = this.get(reference);
    const lower = await this.#store.snapshotter.lower(image.layers).catch(() => []);
    return inspectImage(image, { name: "overlay2", lower });
  }

  async unpack(image: ImageRecord, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const has = (diffId: string) => this.#store.snapshotter.has(diffId);
    for (const diffId of image.layers) if (!(await has(diffId))) return this.#unpackAll(image, options.signal);
  }

  async #unpackAll(image: ImageRecord, signal?: AbortSignal): Promise<void> {
    const { unpackStored } = await import("./pull/unpack-stored.ts");
    const manifest = this.#store.content.readJson<ImageManifest>(image.manifest);
    await unpackStored(this.#store, manifest.layers, image.layers, signal);
  }

  async collect(): Promise<number> {
    const [{ dropHidden }, { cleanIngests }] = await Promise.all([
      import("./store/prune.ts"),
      import("./snapshot/ingest.ts"),
    ]);
    dropHidden(this.#store, this.#inUse);
    return (await this.#store.collect()) + cleanIngests(this.#layers);
  }
}

/** The full name of a tag to be made; docker's words for what cannot be one. */
function checkedTag(target: string): string {
  const reference = parseReference(target);
  const refuse = (what: string) =>
    new GalleyError("invalid_argument", `refusing to create ${what}`, { subject: target });
  if (reference.digest !== undefined) throw refuse("a tag with a digest reference");
  if (familiarName(reference).split(":")[0] === "sha256")
    throw refuse("an ambiguous tag using digest algorithm as name");
  return nameOf(reference);
}

/** Without `all`, only images that no tag leads to. */
function filtersOf({ all, filters }: PruneOptions): ListOptions {
  return { filters: all === true ? (filters ?? {}) : { ...filters, dangling: ["true"] } };
}
