/**
 * What keeps unpacked layers, so that a container's root can be put together from them.
 *
 * Vocabulary. A **layer** is a tar of changes; its **diff ID** is the digest of that tar, uncompressed (`sha256:…`), as the image's
 * configuration lists it. A snapshotter keeps each layer once, under its diff ID, whatever images use it. Overlayfs stacks the kept
 * layers: its **lower** directories, the topmost first. What a container writes goes to an upper directory that the snapshotter
 * knows nothing of.
 *
 * Lifecycle. `apply` takes the tar and keeps the layer; it checks that the tar's digest is the diff ID, and either keeps all of the
 * layer or nothing. From then on `has` is true, in this process and in every other, and `lower` gives its directory, until
 * `remove`. Two processes that apply the same layer cooperate: one does the work, the other waits and finds it done. A process that
 * is killed leaves at most remains that nobody sees and that the next `apply`, `remove` or `clean` deletes.
 *
 * An image is pulled:
 *
 *     for (const [diffId, blob] of layers) {
 *       if (!(await snapshotter.has(diffId))) await snapshotter.apply(diffId, decompress(blob), { signal });
 *     }
 *
 * A container starts; this is the hot path, so `lower` is a look at the disk and no more:
 *
 *     const lower = await snapshotter.lower(image.config.rootfs.diff_ids);
 *     mount("overlay", root, { lowerdir: lower.join(":"), upperdir, workdir });
 *
 * Every implementation passes the contract of ./snapshotter-suite.ts.
 */
export interface Snapshotter {
  /** Whether the layer is kept whole. */
  has(diffId: string): boolean | Promise<boolean>;

  /**
   * Keeps the layer; a no-op, which reads nothing of the stream, where it is kept already. `size` is in bytes, unpacked.
   * A chunk of the stream is done with when the next but one is asked for.
   *
   * Fails, with nothing left behind, as `invalid_argument` (a tar that is malformed or reaches out of the layer), `data_loss` (a tar
   * that is cut short, or whose digest is not the diff ID), `resource_exhausted` (full disk), `permission_denied` (device nodes or
   * ownership without privilege), `canceled` (the signal) or whatever the stream itself failed with.
   */
  apply(diffId: string, tar: AsyncIterable<Uint8Array>, options?: ApplyOptions): Promise<LayerUsage>;

  /**
   * Directories for overlayfs, **topmost first**; `diffIds` are **bottom first**, as an image lists them. A layer that occurs twice
   * is given once, at its topmost place, for overlayfs refuses a directory that it has already. `not_found` where one is not kept.
   */
  lower(diffIds: readonly string[]): Promise<readonly string[]>;

  /** Deletes the layer; a no-op where it is not kept. The caller makes sure that nothing uses it. */
  remove(diffId: string): Promise<void>;

  /** All layers that are kept whole, in no order. */
  list(): Promise<readonly KeptLayer[]>;
}

export interface ApplyOptions {
  readonly signal?: AbortSignal;
  /** Called now and then with the number of tar bytes taken so far. */
  readonly onProgress?: (bytes: number) => void;
}

/** Bytes of the layer's files, as `du --apparent-size` counts them: holes counted, a hard link once. */
export interface LayerUsage {
  readonly size: number;
}

export interface KeptLayer extends LayerUsage {
  readonly diffId: string;
}
