/**
 * What the image tier takes and gives.
 *
 * An image is known by its ID, the digest of its configuration (`sha256:…`), and has any number of names. A name is either a
 * tag (`busybox:latest`) or a repository digest (`busybox@sha256:…`); both are written here as people write them, without
 * `docker.io/library/`. Times are RFC 3339 text, sizes are bytes, diff IDs are listed bottom layer first.
 */

import type { Descriptor, HistoryEntry, ImageConfig, ImageManifest, Platform } from "../spec/image.ts";
import type { KeyOpener } from "./copy/encryption/key-wrap.ts";
import type { Accept } from "./copy/options.ts";
import type { Destination, Source } from "./transports/place.ts";
import type { RegistryOptions } from "./transports/registry/clients.ts";

/** One image of the store, with its configuration. A value: it does not change when the store does. */
export interface ImageRecord {
  /** Digest of the configuration, algorithm included. */
  readonly id: string;
  /** Tags, in the order of their full names: `busybox:latest`, `registry.example:5000/team/app:1`. */
  readonly names: readonly string[];
  /** Repository digests: `busybox@sha256:…`, of the index where the name led to one. */
  readonly digests: readonly string[];
  /** The manifest of the image's own platform. */
  readonly manifest: Descriptor;
  readonly config: ImageConfig;
  /** Diff IDs, bottom first: what a snapshotter's `lower` takes. */
  readonly layers: readonly string[];
  /** Bytes of all layers unpacked. */
  readonly size: number;
  /** When it was built, as its configuration says; `0001-01-01T00:00:00Z` where it says nothing. */
  readonly createdAt: string;
  /** When it was last pulled, imported or tagged. */
  readonly taggedAt: string;
}

/** Progress of a pull, made for a display with one line per layer. `id` is the first 12 digits of the layer's blob digest. */
export type PullEvent =
  | { readonly kind: "resolving"; readonly reference: string }
  /** `digest` is what the reference leads to, `name` the repository and `tag` what was asked for. */
  | { readonly kind: "resolved"; readonly name: string; readonly tag: string; readonly digest: string }
  | { readonly kind: "layer"; readonly id: string; readonly status: LayerStatus; readonly total: number }
  /** Compressed bytes that have arrived so far, those of an earlier interrupted pull included. */
  | { readonly kind: "downloading"; readonly id: string; readonly current: number; readonly total: number }
  /** Compressed bytes that are not fetched, since other layers have them; they count among those that arrive. */
  | { readonly kind: "skipping"; readonly id: string; readonly bytes: number; readonly total: number }
  /** Unpacked bytes that have been written so far; their sum is not known before the end. */
  | { readonly kind: "extracting"; readonly id: string; readonly current: number }
  | { readonly kind: "retrying"; readonly id: string; readonly seconds: number; readonly reason: string }
  | { readonly kind: "done"; readonly digest: string; readonly imageId: string; readonly changed: boolean };

/** `waiting`: for a free place, or for another process that is fetching this very layer. */
export type LayerStatus = "waiting" | "exists" | "downloaded" | "complete";

export interface PullOptions {
  /** `os/arch[/variant]`; by default the host's. */
  readonly platform?: string;
  readonly onProgress?: (event: PullEvent) => void;
  readonly signal?: AbortSignal;
  /** Decides whether the image may be used; default: the policy.json that is in force (trust/policy-file.ts). */
  readonly accept?: Accept;
  /** Replace what the user's configuration files say for the registry. */
  readonly credentials?: RegistryCredentials;
  /** How the registry is reached, where that is not as the user's files say. */
  readonly registry?: RegistryOptions;
  /** Private keys that open encrypted layers (copy/encryption/private-keys.ts); without them such an image is refused. */
  readonly decryption?: readonly KeyOpener[] | undefined;
}

/** A name and password, or a token that the registry's token service gave earlier (docker's identity token). */
export type RegistryCredentials =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  | { readonly kind: "identity"; readonly token: string };

export interface PullResult {
  readonly image: ImageRecord;
  /** Canonical reference that was pulled, as docker prints it at the end: `docker.io/library/busybox:latest`. */
  readonly reference: string;
  /** Digest of what the reference led to: an index or a manifest. */
  readonly digest: string;
  /** Whether the name leads to another image than before. */
  readonly changed: boolean;
}

/** One layer that is made in this process. `open` may be called more than once and gives the uncompressed tar each time. */
export interface LayerSource {
  readonly diffId: string;
  open(): AsyncIterable<Uint8Array>;
  /** The tar where it has been written aside already; it is put in place instead of being written again. */
  readonly spool?: { place(): void };
}

/** A layer that the store has already, as an image's manifest names it. `size` is in bytes, unpacked. */
export interface KeptLayer {
  readonly diffId: string;
  readonly blob: Descriptor;
  readonly size: number;
}

/** A layer as an image has it. `size` is in bytes, unpacked. */
export interface LayerFacts {
  readonly diffId: string;
  readonly size: number;
}

/** What an image of the store is made of: digests of its documents and blobs, and diff IDs of its unpacked layers; a plain layer's are the same. */
export interface ImageContent {
  readonly id: string;
  readonly blobs: readonly string[];
  readonly layers: readonly string[];
}

/** A new layer on top of an image of the store. */
export interface LayerOnTop {
  /** Full ID of the image below. */
  readonly base: string;
  /** The layer's tar, uncompressed; read once. */
  readonly tar: AsyncIterable<Uint8Array>;
  /** The new image's configuration, given the layer's diff ID on top of the base's. */
  config(base: ImageConfig, diffIds: readonly string[]): ImageConfig;
  readonly names: readonly string[];
}

/** An image that comes from this process and not from a registry. Its new blobs are stored uncompressed. */
export interface ImageSource {
  readonly config: ImageConfig;
  /** Bottom first, one for each of `config.rootfs.diff_ids`. */
  readonly layers: readonly (LayerSource | KeptLayer)[];
  /** Names to give it, as people write them. */
  readonly names: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A container that uses an image, or the mount of an image, as the tier above knows it. */
export interface ImageUser {
  readonly id: string;
  readonly name: string;
  /** A running (or paused) container's image cannot be removed even by force. */
  readonly running: boolean;
  /** It is no container: the host has the image mounted. */
  readonly isMount?: boolean;
}

export interface ListOptions {
  /** docker's `--filter` pairs by key: dangling, label, before, since, reference, until. */
  readonly filters?: Readonly<Record<string, readonly string[]>>;
}

/** A line of `rmi`: docker prints `Untagged: …` and `Deleted: …`. */
export type RemovedItem = { readonly untagged: string } | { readonly deleted: string };

export interface RemoveOptions {
  /** Remove all names of an image given by ID, and an image that stopped containers use. */
  readonly force?: boolean;
  /** An image that is for another machine is not found. */
  readonly platform?: string;
}

export interface PruneOptions {
  /** Also images that have a name, if no container uses them. */
  readonly all?: boolean;
  readonly filters?: Readonly<Record<string, readonly string[]>>;
}

export interface PruneResult {
  readonly removed: readonly RemovedItem[];
  /** Bytes that were given back to the file system, estimated from the sizes of blobs and layers. */
  readonly reclaimed: number;
}

/** A row of `history`, newest first. `id` is `<missing>` but for the newest, as docker shows it. */
export interface HistoryRow {
  readonly id: string;
  readonly created: string;
  readonly createdBy: string;
  /** Unpacked bytes of the layer this step made; 0 where it made none. */
  readonly size: number;
  readonly comment: string;
  readonly tags: readonly string[];
}

/** Images that are added to the store together; what was not made visible before it is closed is deleted. */
export interface ImageBatch {
  /** A place for the next image. Its commit ends the image, which nobody sees before that of the batch. */
  destination(names: readonly string[]): Destination & { readonly imageId: string };
  /** Whether it is some time since the last commit, so that another one is worth what it costs. */
  readonly isDue: boolean;
  commit(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The images of one store. A `reference` is a name (`busybox`, `host:5000/a/b:tag`, `name@sha256:…`), an image ID or a unique
 * prefix of one. An unknown one is `not_found` ("No such image: X"), a malformed one `invalid_argument`.
 *
 * Everything here may run in many processes at once on the same store.
 */
export interface Images {
  pull(reference: string, options?: PullOptions): Promise<PullResult>;
  /** Adds an image from content made in this process; doing it twice is harmless. */
  importImage(source: ImageSource, options?: { readonly signal?: AbortSignal }): Promise<ImageRecord>;
  /** An image of the store to be copied from (copy/copy.ts). */
  source(reference: string): Promise<Source>;
  /**
   * A place for an image in the store to be copied to, under these names; without any it is known by its ID alone, which is
   * `imageId` after the commit.
   */
  destination(names: readonly string[]): Promise<Destination & { readonly imageId: string }>;
  /** As {@link destination} for many images, which cost little each. */
  batch(): Promise<ImageBatch>;
  /** Adds an image that is another with one more layer. */
  addLayer(layer: LayerOnTop, options?: { readonly signal?: AbortSignal }): Promise<ImageRecord>;
  /** The image or `undefined`; no network. With a platform, an image made for another one is not found. */
  find(reference: string, options?: { readonly platform?: string }): ImageRecord | undefined;
  /** As {@link find}, where absence is an error. */
  get(reference: string, options?: { readonly platform?: string }): ImageRecord;
  /** By full ID, even after it was removed by force under a container that still uses it. */
  ofContainer(id: string): ImageRecord;
  /** Newest first. */
  list(options?: ListOptions): readonly ImageRecord[];
  tag(source: string, target: string): void;
  /** Takes these names from an image, or all that it has; the image stays. One that is not its name is `not_found`. */
  untag(reference: string, names: readonly string[]): void;
  /** What each image is made of, those included that were removed under their containers. */
  contents(): readonly ImageContent[];
  /** Its layers, bottom first. */
  layers(reference: string): readonly LayerFacts[];
  remove(reference: string, options?: RemoveOptions): Promise<readonly RemovedItem[]>;
  prune(options?: PruneOptions): Promise<PruneResult>;
  history(reference: string): readonly HistoryRow[];
  /** docker's `image inspect` object. */
  inspect(reference: string): Promise<Record<string, unknown>>;
  /** Unpacks layers of the image that the snapshotter does not have (any more), from the kept blobs. A no-op in general. */
  unpack(image: ImageRecord, options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Deletes blobs, layers and partial downloads that nothing needs. Also done after each removal. */
  collect(): Promise<number>;
}

export type { Descriptor, HistoryEntry, ImageConfig, ImageManifest, Platform };
