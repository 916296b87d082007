import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { LayerView } from "../../image/layers/view/view.ts";
import { Root } from "../../linux/fs-at/fs-at.ts";
import { lockFile } from "../../linux/sys/sys.ts";
import type { VolumeRecord } from "./types.ts";
import type { Volumes } from "./volumes.ts";

/**
 * Fills an empty volume with what the image has at `path`, the directory's own owner and mode included. One process copies, others
 * that start with the same volume wait for it; a copy that was cut off is begun anew. A no-op where image or volume say otherwise.
 */
export async function copyUp(
  volumes: Volumes,
  { name, mountpoint }: VolumeRecord,
  lower: readonly string[],
  path: string,
): Promise<void> {
  if (!isWanted(volumes, name, mountpoint)) return;
  using view = new LayerView(lower);
  if (view.tryStat(path)?.type !== "directory") return;
  using _lock = await lockFile(join(dirname(mountpoint), "lock"), "exclusive");
  if (!isWanted(volumes, name, mountpoint)) return;
  volumes.table.setCopying(name, true);
  using target = Root.open(mountpoint);
  await view.copyTo(path, target);
  volumes.table.setCopying(name, false);
}

function isWanted(volumes: Volumes, name: string, mountpoint: string): boolean {
  return readdirSync(mountpoint).length === 0 || volumes.table.get(name)?.copying === 1;
}
