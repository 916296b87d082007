/**
 * Removing volumes. The directory is renamed out of the way in the transaction that deletes the row, and only then deleted: killed
 * at any point, there is either the volume (its directory perhaps empty) or its remains among the removed ones, which go next time.
 */
import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { GalleyError } from "../../errors.ts";
import { Root, removeTree, walk } from "../../linux/fs-at/fs-at.ts";
import { AT_FDCWD, flock, O, openat } from "../../linux/sys/sys.ts";
import { filterVolumes } from "./list.ts";
import type { PruneRequest, PruneResult } from "./types.ts";
import type { Volumes } from "./volumes.ts";

/** No volume can have this name. */
const REMOVED = ".removed";

/** Throws `not_found`, and `failed_precondition` where a container has it. */
export async function removeVolume(volumes: Volumes, name: string): Promise<void> {
  volumes.table.change(() => {
    volumes.row(name);
    const users = volumes.inUse(name);
    if (users.length > 0) throw inUse(name, users);
    takeAway(volumes, name);
  });
  await deleteRemoved(volumes);
}

function inUse(name: string, users: readonly string[]): GalleyError {
  return new GalleyError("failed_precondition", `remove ${name}: volume is in use - [${users.join(", ")}]`, {
    hint: "remove those containers first",
  });
}

/** Those that are there, anonymous, and no container's. */
export async function removeAnonymous(volumes: Volumes, names: readonly string[]): Promise<void> {
  const removed = volumes.table.change(() =>
    names.filter((name) => {
      if (volumes.table.get(name)?.anonymous !== 1 || volumes.inUse(name).length > 0) return false;
      takeAway(volumes, name);
      return true;
    }),
  );
  if (removed.length > 0) await deleteRemoved(volumes);
}

/** docker's `volume prune`. */
export async function pruneVolumes(volumes: Volumes, { all, filters }: PruneRequest): Promise<PruneResult> {
  const { all: allFilter = [], ...others } = filters;
  const named = all || allFilter.some((value) => /^(1|t|true)$/i.test(value));
  const removed = volumes.table.change(() => {
    const unused = filterVolumes(volumes, others).filter(
      (row) => (named || row.anonymous === 1) && volumes.inUse(row.name).length === 0,
    );
    return unused.map(({ name }) => ({ name, path: takeAway(volumes, name) }));
  });
  const reclaimed = removed.reduce((sum, { path }) => sum + treeSize(path), 0);
  if (removed.length > 0) await deleteRemoved(volumes);
  return { removed: removed.map(({ name }) => name), reclaimed };
}

/** Where the directory is then, if there was one. */
function takeAway({ directory, table }: Volumes, name: string): string {
  const removed = join(directory, REMOVED);
  mkdirSync(removed, { recursive: true, mode: 0o700 });
  const path = join(removed, crypto.randomUUID());
  try {
    renameSync(join(directory, name), path);
  } catch (failure) {
    if ((failure as { code?: unknown }).code !== "ENOENT") throw failure;
  }
  table.delete(name);
  return path;
}

/** What others removed and could not delete to the end goes too. One process deletes at a time; the next one finds less to do. */
async function deleteRemoved({ directory }: Volumes): Promise<void> {
  using root = new Root(openat(AT_FDCWD, join(directory, REMOVED), O.RDONLY | O.DIRECTORY));
  await flock(root.fd, "exclusive");
  for (const { name } of root.readdir("/")) removeTree(root, name);
}

/** Bytes of the files in a directory, each file once whatever its number of names; 0 where there is none. */
export function treeSize(path: string): number {
  let size = 0;
  const linked = new Set<string>();
  try {
    using root = Root.open(path);
    for (const { kind, status } of walk(root)) {
      if (kind !== "other" || status.type !== "file") continue;
      if (status.nlink > 1) {
        const key = `${status.device}:${status.inode}`;
        if (linked.has(key)) continue;
        linked.add(key);
      }
      size += status.size;
    }
  } catch (failure) {
    if ((failure as { code?: unknown }).code !== "ENOENT") throw failure;
  }
  return size;
}
