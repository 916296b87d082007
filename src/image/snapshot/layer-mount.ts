import { join } from "node:path";
import { digestParts } from "./layer-directory.ts";

/** Where a layer's file system is mounted. */
export interface LayerMount {
  readonly diffId: string;
  /** The directory around it, with what is said of the layer beside its files. */
  readonly directory: string;
  readonly path: string;
}

/** @param mounts the directory for mounts of all layers */
export function layerMountOf(mounts: string, diffId: string): LayerMount {
  const { algorithm, hex } = digestParts(diffId);
  const directory = join(mounts, `${algorithm}-${hex}`);
  return { diffId, directory, path: join(directory, "diff") };
}
