import { GalleyError } from "../../errors.ts";
import { extractTar } from "../../image/layers/apply/extract-tar.ts";
import { Root } from "../../linux/fs-at/fs-at.ts";
import { mountDetachedOverlay, O } from "../../linux/sys/sys.ts";
import { beginOperation, endOperation } from "../lifecycle/lock.ts";
import type { Parts } from "../lifecycle/parts.ts";
import type { ContainerRecord } from "../records/record.ts";
import { absolute } from "./archive.ts";
import { type Located, liveRoot, mountedSource } from "./open-tree.ts";
import { layersOf } from "./view.ts";

/**
 * Unpacks an archive into a directory of a container; see `Containers.extract`. One that does not run is not started, removed or written
 * to by others meanwhile.
 */
export async function extractInto(
  parts: Parts,
  container: string,
  path: string,
  tar: AsyncIterable<Uint8Array>,
): Promise<void> {
  const names = { path, container };
  const { record, live } = await beginOperation(parts, container, "write", (found) => {
    const root = liveRoot(parts, found);
    return { begin: root === undefined, value: { record: found, live: root } };
  });
  if (live !== undefined) return extract({ tree: live, path: absolute(path) }, names, tar);
  try {
    await extract(await stoppedRoot(parts, record, absolute(path)), names, tar);
  } finally {
    endOperation(parts, record.id);
  }
}

interface Names {
  readonly path: string;
  readonly container: string;
}

async function extract({ tree, path }: Located<Root>, names: Names, tar: AsyncIterable<Uint8Array>): Promise<void> {
  using root = tree;
  using directory = directoryIn(root, path, names);
  await extractTar(directory.fd, tar);
}

function directoryIn(root: Root, inside: string, names: Names): Root {
  const status = root.tryStat(inside);
  if (status === undefined) {
    throw new GalleyError("not_found", `Could not find the file ${names.path} in container ${names.container}`);
  }
  if (status.type !== "directory") {
    throw new GalleyError("invalid_argument", "extraction point is not a directory", { subject: names.path });
  }
  return new Root(root.open(inside, O.RDONLY | O.DIRECTORY));
}

/** Where a path of a container that does not run is to be written: in what will be mounted there, else in its layers, mounted for this. */
async function stoppedRoot(parts: Parts, record: ContainerRecord, path: string): Promise<Located<Root>> {
  const mounted = mountedSource(record, path);
  if (mounted?.readonly === true) throw readOnly(path);
  if (mounted !== undefined) return { tree: Root.open(mounted.source), path: mounted.path };
  if (record.made.spec.readonlyRootfs === true) throw readOnly("the container's root file system");
  return { tree: new Root(mountDetachedOverlay(await layersOf(parts, record))), path };
}

function readOnly(subject: string): GalleyError {
  return new GalleyError("failed_precondition", "it is mounted read-only", { op: "copy", subject });
}
