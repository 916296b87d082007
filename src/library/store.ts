import { resolve } from "node:path";
import type { ImageFiles } from "../engine/image-files/image-files.ts";
import { openEngine } from "../engine/open.ts";
import type { Usage } from "../engine/usage/usage.ts";
import type { Images } from "../image/types.ts";
import { defaultRoots, storePaths } from "../state/paths.ts";

/** Where a store is; by default the user's own, which the environment's GALLEY_ROOT and GALLEY_RUNROOT move. */
export interface StoreRequest {
  readonly root?: string;
  readonly runroot?: string;
}

/**
 * A store of images. Any number of programs may have it open at once, and the command line works on it too: each change is whole or not
 * made, and what a killed program left is repaired by the next.
 */
export interface GalleyStore {
  /** Pull, find, list, tag, remove, prune. */
  readonly images: Images;
  /** The files of images: mounts and differences. */
  files(): Promise<ImageFiles>;
  /** What everything takes on the disk. */
  usage(): Promise<Usage>;
}

/** Opens a store, which is made where there is none. The process's umask becomes 022, as files of images have the modes that are asked for. */
export function openStore({ root, runroot }: StoreRequest = {}): GalleyStore {
  const defaults = defaultRoots(process.env);
  const paths = storePaths(resolve(root ?? defaults.root), resolve(runroot ?? defaults.runroot));
  const engine = openEngine({ paths, native: "" });
  return { images: engine.images, files: () => engine.imageFiles(), usage: () => engine.usage() };
}
