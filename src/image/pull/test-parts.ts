/** For tests of the image tier: images from memory, and a snapshotter that keeps nothing but sizes. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GalleyError } from "../../errors.ts";
import { type Descriptor, type ImageConfig, mediaTypes, type Platform } from "../../spec/image.ts";
import { openDatabase } from "../../state/database.ts";
import { type StorePaths, storePaths } from "../../state/paths.ts";
import { digestOf } from "../digest.ts";
import type { Snapshotter } from "../snapshot/snapshotter.ts";
import { ImageStore } from "../store/image-store.ts";
import { imageSchema } from "../store/schema.ts";
import type { BlobOptions, Transport } from "../transports/transport.ts";

/** Keeps a layer as a file with its size; checks the diff ID. */
export function sizeSnapshotter(directory: string): Snapshotter {
  mkdirSync(directory, { recursive: true });
  const path = (diffId: string) => join(directory, diffId.replace(":", "-"));
  const sizeOf = (diffId: string) => Number(readFileSync(path(diffId), "utf8"));
  return {
    has: (diffId) => existsSync(path(diffId)),
    async apply(diffId, tar, options = {}) {
      if (existsSync(path(diffId))) return { size: sizeOf(diffId) };
      const hasher = new Bun.CryptoHasher("sha256");
      let size = 0;
      for await (const chunk of tar) {
        options.signal?.throwIfAborted();
        hasher.update(chunk);
        size += chunk.length;
        options.onProgress?.(size);
      }
      const found = `sha256:${hasher.digest("hex")}`;
      if (found !== diffId) throw new GalleyError("data_loss", `the layer's diff ID is ${found}`, { subject: diffId });
      writeFileSync(path(diffId), String(size));
      return { size };
    },
    lower: async (diffIds) => diffIds.map(path).reverse(),
    remove: async (diffId) => rmSync(path(diffId), { force: true }),
    list: async () =>
      readdirSync(directory).map((name) => ({ diffId: name.replace("-", ":"), size: sizeOf(name.replace("-", ":")) })),
  };
}

/** A store in a temporary directory. */
export interface TestStore extends Disposable {
  readonly directory: string;
  readonly paths: StorePaths;
  readonly store: ImageStore;
  readonly snapshotter: Snapshotter;
  readonly database: ReturnType<typeof openDatabase>;
}

export function openTestStore(directory = mkdtempSync(join(tmpdir(), "galley-images-"))): TestStore {
  const paths = storePaths(directory, join(directory, "run"));
  const database = openDatabase(paths.database, [imageSchema]);
  const snapshotter = sizeSnapshotter(paths.layers);
  const store = new ImageStore(database, paths.content, snapshotter);
  const dispose = () => {
    database.close();
    rmSync(directory, { recursive: true, force: true });
  };
  return { directory, paths, store, snapshotter, database, [Symbol.dispose]: dispose };
}

/** An image in memory: everything by digest. */
export interface MemoryImage {
  readonly target: Descriptor;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  readonly id: string;
  readonly diffIds: readonly string[];
  readonly layers: readonly Descriptor[];
}

/** Makes an image whose layers are the given bytes (any bytes: {@link sizeSnapshotter} does not look), gzipped. */
export function memoryImage(
  layers: readonly (string | Uint8Array)[],
  options: {
    readonly platform?: Platform;
    readonly config?: Partial<ImageConfig>;
    readonly type?: "oci" | "docker";
  } = {},
): MemoryImage {
  const blobs = new Map<string, Uint8Array>();
  const docker = options.type === "docker";
  const put = (mediaType: string, bytes: Uint8Array): Descriptor => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const tars = layers.map((layer) => (typeof layer === "string" ? Buffer.from(layer) : layer));
  const diffIds = tars.map((tar) => digestOf(tar));
  const { os, architecture } = options.platform ?? { os: "linux", architecture: "amd64" };
  const config = { os, architecture, rootfs: { type: "layers", diff_ids: diffIds }, ...options.config };
  const configDescriptor = put(
    docker ? mediaTypes.dockerConfig : mediaTypes.ociConfig,
    Buffer.from(JSON.stringify(config)),
  );
  const layerType = docker ? mediaTypes.dockerLayerGzip : mediaTypes.ociLayerGzip;
  const descriptors = tars.map((tar) => put(layerType, Bun.gzipSync(new Uint8Array(tar))));
  const mediaType = docker ? mediaTypes.dockerManifest : mediaTypes.ociManifest;
  const manifest = { schemaVersion: 2, mediaType, config: configDescriptor, layers: descriptors };
  const target = put(mediaType, Buffer.from(JSON.stringify(manifest)));
  return { target, blobs, id: configDescriptor.digest, diffIds, layers: descriptors };
}

/** An index of images for several platforms. */
export function memoryIndex(entries: readonly (readonly [Platform, MemoryImage])[]): MemoryImage {
  const manifests = entries.map(([platform, image]) => ({ ...image.target, platform }));
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
  const target = { mediaType: mediaTypes.ociIndex, digest: digestOf(bytes), size: bytes.length };
  const blobs = new Map(entries.flatMap(([, image]) => [...image.blobs]));
  blobs.set(target.digest, bytes);
  return { target, blobs, id: "", diffIds: [], layers: [] };
}

/** Serves one image whatever the reference; `asked` counts requests by digest. */
export class MemoryTransport implements Transport {
  readonly asked: string[] = [];
  /** Called before each chunk of a blob; may throw or wait. */
  onChunk: ((digest: string, position: number) => void | Promise<void>) | undefined;

  constructor(
    public image: MemoryImage,
    private readonly chunk = 1000,
  ) {}

  async resolve(): Promise<Descriptor> {
    return this.image.target;
  }

  async fetchManifest(_: unknown, { digest }: Descriptor): Promise<Uint8Array> {
    this.asked.push(digest);
    return this.#bytes(digest);
  }

  async *fetchBlob(_: unknown, { digest }: Descriptor, options: BlobOptions = {}): AsyncGenerator<Uint8Array> {
    this.asked.push(`${digest}+${options.offset ?? 0}`);
    const bytes = this.#bytes(digest);
    for (let at = options.offset ?? 0; at < bytes.length; at += this.chunk) {
      await this.onChunk?.(digest, at);
      options.signal?.throwIfAborted();
      yield bytes.subarray(at, at + this.chunk);
    }
  }

  #bytes(digest: string): Uint8Array {
    const bytes = this.image.blobs.get(digest);
    if (bytes === undefined) throw new GalleyError("not_found", "no such content", { subject: digest });
    return bytes;
  }
}
