import { GalleyError } from "../../errors.ts";
import type { Descriptor } from "../../spec/image.ts";
import { TABLE_POSITION } from "../copy/chunked/annotations.ts";
import { isEncrypted } from "../copy/convert.ts";
import { formatPlatform, hostPlatform, matchPlatform, parsePlatform } from "../platform.ts";
import { canonicalName, familiarName, parseReference, type Reference, withDefaultTag } from "../reference.ts";
import { nameOf } from "../store/find.ts";
import type { ImageStore } from "../store/image-store.ts";
import type { Lease } from "../store/leases.ts";
import type { Transport } from "../transports/transport.ts";
import { encodeSignature } from "../trust/signature.ts";
import type { PullEvent, PullOptions, PullResult } from "../types.ts";
import { fetchDocuments, type ImageDocuments, plain } from "./fetch-documents.ts";
import { isWorthKeeping } from "./fetch-layer.ts";
import { fetchLayers } from "./fetch-layers.ts";
import type { PartialPulls } from "./partial/partial-pulls.ts";

/**
 * Brings an image into the store and gives it the name it was asked for by.
 *
 * Until the last step nobody sees anything of it: content is protected by a lease, and image, layers and names appear in one
 * transaction that ends the lease. A pull that fails for a reason that may pass leaves what it fetched to the next one, for a day; one
 * that met wrong content leaves nothing.
 */
export async function pull(
  store: ImageStore,
  transport: Transport,
  text: string,
  options: PullOptions = {},
): Promise<PullResult> {
  const reference = withDefaultTag(parseReference(text));
  const platform = options.platform === undefined ? hostPlatform() : parsePlatform(options.platform);
  const lease = await store.leases.open();
  const run = new Pull(store, transport, reference, lease, options);
  try {
    const target = await run.resolve();
    const documents = await run.documents(target, platform);
    if (options.platform !== undefined) checkPlatform(documents, options.platform, reference);
    const opened = documents.manifest.layers.some(isEncrypted) ? await run.decrypted(documents) : documents;
    return run.save(target, opened, await run.layers(opened));
  } catch (failure) {
    const fault = options.signal?.aborted === true ? interrupted(reference, failure) : failure;
    await cleanUp(store, lease, fault);
    throw fault;
  }
}

function interrupted(reference: Reference, cause: unknown): GalleyError {
  if (cause instanceof GalleyError && cause.code === "canceled") return cause;
  return new GalleyError("canceled", "interrupted", { op: "pull", subject: familiarName(reference), cause });
}

class Pull {
  readonly #signal: AbortSignal;
  readonly #emit: (event: PullEvent) => void;

  constructor(
    private readonly store: ImageStore,
    private readonly transport: Transport,
    private readonly reference: Reference,
    private readonly lease: Lease,
    private readonly options: PullOptions,
  ) {
    this.#signal = options.signal ?? new AbortController().signal;
    this.#emit = options.onProgress ?? (() => undefined);
  }

  async resolve(): Promise<Descriptor> {
    const { reference } = this;
    this.#emit({ kind: "resolving", reference: familiarName(reference) });
    const target = await this.transport.resolve(reference, this.#options());
    const tag = reference.digest ?? reference.tag ?? "";
    this.#emit({ kind: "resolved", name: reference.path, tag, digest: target.digest });
    return target;
  }

  documents(target: Descriptor, platform: ReturnType<typeof hostPlatform>): Promise<ImageDocuments> {
    const { transport, reference, lease } = this;
    const { content } = this.store;
    const { accept } = this.options;
    return fetchDocuments({ content, lease, transport, reference, accept, options: this.#options() }, target, platform);
  }

  async layers({ manifest, config }: ImageDocuments): Promise<readonly number[]> {
    const { transport, reference, lease } = this;
    const { content, snapshotter, locks } = this.store;
    const partial = await this.#partial(manifest.layers);
    return fetchLayers(
      { content, snapshotter, locks, transport, reference, signal: this.#signal, partial },
      { blobs: manifest.layers, diffIds: config.rootfs.diff_ids, lease, emit: this.#emit },
    );
  }

  /** Layers with a table of contents may be fetched in part. */
  async #partial(layers: readonly Descriptor[]): Promise<PartialPulls | undefined> {
    const { store, transport, reference } = this;
    if (!layers.some(({ annotations }) => annotations?.[TABLE_POSITION] !== undefined)) return undefined;
    const { PartialPulls } = await import("./partial/partial-pulls.ts");
    return PartialPulls.of(store, transport, reference);
  }

  /** The image without its encryption; the manifest that it came with leads to it, as an index does. */
  async decrypted(documents: ImageDocuments): Promise<ImageDocuments> {
    const { store, transport, reference, lease } = this;
    const { decryptLayers } = await import("./decrypt-layers.ts");
    const parts = { store, transport, reference, lease, signal: this.#signal, emit: this.#emit };
    return decryptLayers(parts, documents, this.options.decryption ?? []);
  }

  save(target: Descriptor, documents: ImageDocuments, sizes: readonly number[]): PullResult {
    const { manifest, manifestDescriptor, config, indexes } = documents;
    const { reference, lease } = this;
    const layers = config.rootfs.diff_ids.map((diffId, position) => ({ diffId, size: sizes[position] ?? 0 }));
    const contents = [manifestDescriptor, manifest.config, ...manifest.layers].map((blob) => blob.digest);
    const digestName = nameOf({ ...reference, digest: target.digest });
    const changed = this.store.save(
      {
        id: manifest.config.digest,
        configSize: manifest.config.size,
        manifest: manifestDescriptor,
        layers,
        blobs: [...indexes, ...contents],
        signatures: documents.signatures.map(encodeSignature),
      },
      { names: [nameOf(reference), digestName], target: plain(target, indexes.length === 0 ? manifest : {}), lease },
    );
    this.#emit({ kind: "done", digest: target.digest, imageId: manifest.config.digest, changed });
    const image = this.store.record(manifest.config.digest);
    return { image, reference: canonicalName(reference), digest: target.digest, changed };
  }

  #options() {
    const onRetry = ({ seconds, reason }: { readonly seconds: number; readonly reason: string }) =>
      this.#emit({ kind: "retrying", id: familiarName(this.reference), seconds, reason });
    return { signal: this.#signal, onRetry };
  }
}

/** A manifest that no index led to is for one platform, whatever was asked for. */
function checkPlatform({ config }: ImageDocuments, asked: string, reference: Reference): void {
  if (!config.architecture || matchPlatform(parsePlatform(asked), config) !== undefined) return;
  throw new GalleyError("not_found", `the image is for ${formatPlatform(config)} only, not for ${asked}`, {
    op: "pull",
    subject: familiarName(reference),
  });
}

async function cleanUp(store: ImageStore, lease: Lease, failure: unknown): Promise<void> {
  if (isWorthKeeping(failure) && !lease.isEmpty) {
    lease.keep();
    return;
  }
  try {
    lease.end();
    await store.collect();
  } catch (second) {
    if (failure instanceof GalleyError) failure.cleanup.push(second);
  }
}
