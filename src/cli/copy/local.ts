import { lstatSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { DirectoryTree } from "../../engine/files/tree.ts";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { extractTar } from "../../image/layers/apply/extract-tar.ts";
import { treeMembers } from "../../image/layers/tar/tree-members.ts";
import { writeTar } from "../../image/layers/tar/write-tar.ts";
import { AT_FDCWD, close, O, openat } from "../../linux/sys/sys.ts";
import type { CopyPlan, CopySource, CopyTarget } from "./plan.ts";

/** A source on the host. `real` is where it lies, links at its end followed where that is wanted. */
export function localSource(path: string, follow: boolean): CopySource & { readonly real: string } {
  try {
    const asked = follow || path.endsWith("/") || path.endsWith("/.") || path === ".";
    const real = asked ? realpathSync(path) : resolve(path);
    return { path, real, directory: lstatSync(real).isDirectory(), name: basename(real) || "root" };
  } catch (failure) {
    const { code } = toGalleyError(failure);
    throw new GalleyError(code, code === "not_found" ? "no such file or directory" : "it cannot be looked at", {
      op: "copy",
      subject: path,
      ...(code === "not_found" ? {} : { cause: failure }),
    });
  }
}

/** What is at a path as an archive in which it has this name; without a name, a directory's content alone. */
export async function* archiveLocal(real: string, name: string): AsyncGenerator<Uint8Array, void, undefined> {
  using tree = DirectoryTree.open("/");
  yield* writeTar(treeMembers(tree.entries(real), { name }));
}

/** What is at a destination on the host. */
export function localTarget(path: string): CopyTarget {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) checkParent(path);
  else if (!status.isDirectory() && !status.isFile()) {
    throw new GalleyError("invalid_argument", "it is neither a file nor a directory", { op: "copy to", subject: path });
  }
  return { path, exists: status !== undefined, directory: status?.isDirectory() === true };
}

function checkParent(path: string): void {
  const parent = dirname(resolve(path));
  if (statSync(parent, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new GalleyError("not_found", `invalid output path: directory "${parent}" does not exist`, {
    hint: `mkdir -p ${parent}`,
  });
}

/** Unpacks on the host. Everything is the caller's own, unless owners are kept. */
export async function extractLocal(
  { directory, rename }: CopyPlan,
  tar: AsyncIterable<Uint8Array>,
  keepOwners: boolean,
): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const owner = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  const fd = openat(AT_FDCWD, directory, O.RDONLY | O.DIRECTORY);
  try {
    await extractTar(fd, tar, { rename, ...(keepOwners ? {} : { owner }) });
  } finally {
    close(fd);
  }
}
