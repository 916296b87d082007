import { posix } from "node:path";
import { GalleyError } from "../../errors.ts";
import { treeMembers } from "../../image/layers/tar/tree-members.ts";
import { writeTar } from "../../image/layers/tar/write-tar.ts";
import type { FileStatus } from "../../linux/sys/sys.ts";
import type { Parts } from "../lifecycle/parts.ts";
import { findRecord } from "../records/find.ts";
import type { PathStatus } from "../types.ts";
import { type Located, openTree } from "./open-tree.ts";
import type { ReadableTree } from "./tree.ts";

/** What a path in a container is; see `Containers.stat`. */
export async function statIn(parts: Parts, container: string, path: string): Promise<PathStatus> {
  const { tree, path: inside, status } = await open(parts, container, path);
  using _tree = tree;
  const link =
    status.type === "symlink" ? posix.resolve("/", posix.dirname(absolute(path)), tree.readlink(inside)) : "";
  return {
    name: posix.basename(absolute(path)) || "/",
    type: typeOf(status),
    mode: status.mode,
    size: status.size,
    modified: new Date(Number(status.modified.seconds) * 1000 + status.modified.nanoseconds / 1e6),
    linkTarget: link,
  };
}

/** A file or directory of a container as an archive; see `Containers.archive`. */
export async function archiveOf(parts: Parts, container: string, path: string): Promise<AsyncIterable<Uint8Array>> {
  const { tree, path: inside } = await open(parts, container, path);
  return archive(tree, inside, posix.basename(absolute(path)));
}

async function* archive(tree: ReadableTree, path: string, name: string): AsyncGenerator<Uint8Array, void, undefined> {
  using _tree = tree;
  yield* writeTar(treeMembers(tree.entries(path), { name }));
}

async function open(
  parts: Parts,
  container: string,
  path: string,
): Promise<Located<ReadableTree> & { readonly status: FileStatus }> {
  const record = findRecord(parts.table, container);
  const located = await openTree(parts, record, absolute(path));
  const status = statOf(located);
  if (status !== undefined) return { ...located, status };
  located.tree[Symbol.dispose]();
  throw new GalleyError("not_found", `Could not find the file ${path} in container ${container}`);
}

function statOf({ tree, path }: Located<ReadableTree>): FileStatus | undefined {
  try {
    return tree.tryStat(path, { follow: false });
  } catch (failure) {
    tree[Symbol.dispose]();
    throw failure;
  }
}

/** From the container's root, without `.`, `..` and slashes at the end. */
export function absolute(path: string): string {
  return posix.resolve("/", path);
}

function typeOf({ type }: FileStatus): PathStatus["type"] {
  return type === "file" || type === "directory" || type === "symlink" ? type : "other";
}
