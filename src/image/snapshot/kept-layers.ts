import { existsSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { filesOf, layerDirectory, readUsage, statIndex, statLayer } from "./layer-directory.ts";
import { layerMountOf } from "./layer-mount.ts";
import { OverlayDirectories, refuseMissing } from "./overlay-directories.ts";
import type { ApplyOptions, KeptLayer, LayerUsage, Snapshotter } from "./snapshotter.ts";

/**
 * How new layers are kept. `auto`: as an index over the tar where the kernel mounts those, else as directories; `erofs` and
 * `directories`: so, or not at all.
 */
export type LayerForm = "auto" | "erofs" | "directories";

export interface KeptLayersOptions {
  /** The directory for all layers, absolute; made when it is needed. */
  readonly layers: string;
  /** The directory for mounts of layers, absolute, in a place that a reboot empties; made when it is needed. */
  readonly mounts: string;
  readonly form: LayerForm;
}

/**
 * Layers in two forms, side by side: unpacked to directories, or as they came, with an index that the kernel mounts. A mount is made
 * when a layer is first needed, once for all containers, and goes with the layer. Who counts its users is the kernel: an overlay holds the
 * file systems below it, also when their mounts are gone. After a reboot they are made anew.
 */
export class KeptLayers implements Snapshotter {
  readonly #directories: OverlayDirectories;

  constructor(private readonly options: KeptLayersOptions) {
    this.#directories = new OverlayDirectories(options.layers);
  }

  has(diffId: string): boolean {
    return this.#directories.has(diffId);
  }

  async apply(diffId: string, tar: AsyncIterable<Uint8Array>, options: ApplyOptions = {}): Promise<LayerUsage> {
    const { layers, form } = this.options;
    if (this.has(diffId)) return readUsage(layerDirectory(layers, diffId));
    const { indexesLayers } = await import("./probe.ts");
    if (!(await indexesLayers(layers, form))) return this.#directories.apply(diffId, tar, options);
    const { applyAsIndex } = await import("./apply-as-index.ts");
    return applyAsIndex(layers, diffId, tar, { ...options, fallBack: form === "auto" });
  }

  async lower(diffIds: readonly string[]): Promise<readonly string[]> {
    const directories = new Set<string>();
    for (const diffId of [...diffIds].reverse()) {
      const directory = layerDirectory(this.options.layers, diffId);
      const stats = statLayer(directory) ?? statIndex(directory);
      if (stats === undefined) throw refuseMissing(diffId);
      const isUnpacked = statLayer(directory) !== undefined;
      directories.add(isUnpacked ? filesOf(directory, stats) : await this.#mounted(diffId, directory));
      if (stats.isSymbolicLink()) break;
    }
    return [...directories];
  }

  async remove(diffId: string): Promise<void> {
    const mount = layerMountOf(this.options.mounts, diffId);
    if (existsSync(mount.directory)) await (await import("./mount-layer.ts")).unmountLayer(mount);
    await this.#directories.remove(diffId);
  }

  list(): Promise<readonly KeptLayer[]> {
    return this.#directories.list();
  }

  /** The form that the layer is kept in; `undefined` where it is not kept. */
  formOf(diffId: string): Exclude<LayerForm, "auto"> | undefined {
    const directory = layerDirectory(this.options.layers, diffId);
    if (statLayer(directory) !== undefined) return "directories";
    return statIndex(directory) === undefined ? undefined : "erofs";
  }

  /**
   * Gives a kept layer the other form, in one step for all who look at it. Containers that run on a mounted layer go on; the caller makes
   * sure that none runs on a directory that is to go. What is not kept, or has the form, is left as it is.
   * @param tar the layer's own; asked for only where there is none kept
   */
  async convert(
    diffId: string,
    to: Exclude<LayerForm, "auto">,
    tar: () => AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<void> {
    const { convertLayer } = await import("./convert-layer.ts");
    const { layers, mounts } = this.options;
    await convertLayer({
      layers,
      mount: layerMountOf(mounts, diffId),
      to,
      tar,
      form: () => this.formOf(diffId),
      signal,
    });
  }

  /** Where the layer's file system is mounted. That it is, is told by its device number, which is not that of the directory around. */
  async #mounted(diffId: string, directory: string): Promise<string> {
    const mount = layerMountOf(this.options.mounts, diffId);
    const inner = lstatSync(mount.path, { throwIfNoEntry: false });
    if (inner !== undefined && inner.dev !== lstatSync(mount.directory).dev) return mount.path;
    const { mountLayer } = await import("./mount-layer.ts");
    return mountLayer(mount, { index: join(directory, "index.erofs"), tar: join(directory, "layer.tar") });
  }
}
