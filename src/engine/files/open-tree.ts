import { Root } from "../../linux/fs-at/fs-at.ts";
import { type Parts, placesIn } from "../lifecycle/parts.ts";
import type { ContainerRecord } from "../records/record.ts";
import { lifeOf } from "../records/view.ts";
import { DirectoryTree, LayersTree, type ReadableTree } from "./tree.ts";
import { viewOf } from "./view.ts";

/** A tree, and what a path of the container is called in it. */
export interface Located<T> {
  readonly tree: T;
  readonly path: string;
}

/** The root of a running container as its processes see it; `undefined` where none runs. */
export function liveRoot(parts: Parts, { id }: ContainerRecord): Root | undefined {
  const { state, status } = lifeOf(placesIn(parts, id));
  if ((state !== "running" && state !== "paused") || status === undefined) return undefined;
  return Root.open(`/proc/${status.init.pid}/root`);
}

/** Where a path of a container is to be read: in its processes' root, else in what will be mounted there, else in its layers. */
export async function openTree(parts: Parts, record: ContainerRecord, path: string): Promise<Located<ReadableTree>> {
  const root = liveRoot(parts, record);
  if (root !== undefined) return { tree: new DirectoryTree(root), path };
  const mounted = mountedSource(record, path);
  if (mounted !== undefined) return { tree: DirectoryTree.open(mounted.source), path: mounted.path };
  return { tree: new LayersTree(await viewOf(parts, record)), path };
}

/** The innermost volume or bind that a path lies in, by its text, and the rest of the path. */
export function mountedSource(
  { made }: ContainerRecord,
  path: string,
): { readonly source: string; readonly path: string; readonly readonly: boolean } | undefined {
  let found: ReturnType<typeof mountedSource>;
  let depth = -1;
  for (const { source, target, readonly } of made.resolved.volumes) {
    const inside = path === target || path.startsWith(target.endsWith("/") ? target : `${target}/`);
    if (!inside || target.length <= depth) continue;
    depth = target.length;
    found = { source, path: `/${path.slice(target.length)}`.replace(/^\/+/, "/"), readonly };
  }
  return found;
}
