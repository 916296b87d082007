import { type FileSystemSetting, mountDetached } from "./file-system.ts";

/** Directories of an overlay, `lower` topmost first; without `upper` it can only be read. */
export interface OverlayDirectoriesOf {
  readonly lower: readonly string[];
  readonly upper?: string;
  readonly work?: string;
}

/**
 * Mounts an overlay that is attached nowhere: it is reached by the descriptor, and gone with it, whatever becomes of this process.
 * Needs Linux 6.5, which takes lower directories one by one.
 */
export function mountDetachedOverlay({ lower, upper, work }: OverlayDirectoriesOf): number {
  const own: FileSystemSetting[] = [];
  if (upper !== undefined) own.push(["upperdir", upper]);
  if (work !== undefined) own.push(["workdir", work]);
  return mountDetached("overlay", [
    ["source", "overlay"],
    ...lower.map((layer) => ["lowerdir+", layer] as const),
    ...own,
    ["redirect_dir", "off"],
    ["metacopy", "off"],
  ]);
}
