import { readdirSync } from "node:fs";
import { join } from "node:path";
import { GalleyError } from "../../errors.ts";
import { filesOf, isKept, layerDirectory, readUsage, statLayer } from "./layer-directory.ts";
import type { ApplyOptions, KeptLayer, LayerUsage, Snapshotter } from "./snapshotter.ts";

/**
 * Layers unpacked to directories that overlayfs stacks; what works on every kernel and without root. What only a pull needs is loaded
 * by the pull.
 */
export class OverlayDirectories implements Snapshotter {
  /** @param layers the directory for all layers, absolute; made when it is needed */
  constructor(private readonly layers: string) {}

  has(diffId: string): boolean {
    return isKept(layerDirectory(this.layers, diffId));
  }

  async apply(diffId: string, tar: AsyncIterable<Uint8Array>, options: ApplyOptions = {}): Promise<LayerUsage> {
    const directory = layerDirectory(this.layers, diffId);
    if (isKept(directory)) return readUsage(directory);
    const { applyToDirectory } = await import("./apply-to-directory.ts");
    return applyToDirectory(this.layers, diffId, tar, options);
  }

  lower(diffIds: readonly string[]): Promise<readonly string[]> {
    try {
      return Promise.resolve(this.#lower(diffIds));
    } catch (failure) {
      return Promise.reject(failure);
    }
  }

  #lower(diffIds: readonly string[]): readonly string[] {
    const directories = new Set<string>();
    for (const diffId of [...diffIds].reverse()) {
      const directory = layerDirectory(this.layers, diffId);
      const stats = statLayer(directory);
      if (stats === undefined) throw refuseMissing(diffId);
      directories.add(filesOf(directory, stats));
      if (stats.isSymbolicLink()) break;
    }
    return [...directories];
  }

  async remove(diffId: string): Promise<void> {
    const directory = layerDirectory(this.layers, diffId);
    const { removeDirectory } = await import("./remove-directory.ts");
    await removeDirectory(this.layers, directory, diffId);
  }

  async list(): Promise<readonly KeptLayer[]> {
    const kept: KeptLayer[] = [];
    for (const algorithm of ["sha256", "sha512"]) {
      for (const hex of namesIn(join(this.layers, algorithm))) {
        const directory = join(this.layers, algorithm, hex);
        if (isKept(directory)) kept.push({ diffId: `${algorithm}:${hex}`, ...readUsage(directory) });
      }
    }
    return kept;
  }
}

/** That a layer is not there. */
export function refuseMissing(diffId: string): GalleyError {
  return new GalleyError("not_found", "the layer is not there", {
    op: "mount layers",
    subject: diffId,
    hint: "pull the image again",
  });
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (failure) {
    if ((failure as { code?: unknown }).code === "ENOENT") return [];
    throw failure;
  }
}
