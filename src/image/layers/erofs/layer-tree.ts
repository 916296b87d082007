import { GalleyError } from "../../../errors.ts";
import { makeDevice } from "../../../linux/sys/sys.ts";
import { type LayerPath, layerPath, refused } from "../apply/layer-path.ts";
import type { LayerTotals } from "../apply/layer-writer.ts";
import { isInMetadata, whiteoutOf } from "../apply/whiteout.ts";
import type { TarEntry, TarHandler } from "../tar/entry.ts";
import { shown } from "../tar/malformed.ts";
import { type Attributes, type DirectoryNode, isRemoval, type Node, newDirectory, plainAttributes } from "./node.ts";
import { isTooLong, TreePaths } from "./tree-paths.ts";
import { checkedXattrs } from "./xattrs.ts";

/** Ten times the largest images there are; each takes a few hundred bytes of memory. */
const ENTRIES_MAX = 10_000_000;

/** Bytes that paths of symbolic links may have (PATH_MAX, less the NUL). */
const TARGET_MAX = 4095;

/**
 * A layer's entries as a tree in memory, without their content: what `LayerWriter` makes on disk, entry by entry, with the same
 * answers to names that come twice, removals, links on the way, and what no layer may hold.
 */
export class LayerTree implements TarHandler {
  readonly root: DirectoryNode = newDirectory(undefined);
  readonly #paths = new TreePaths(this.root);
  #size = 0;
  #entries = 0;

  entry(entry: TarEntry): void {
    if (++this.#entries > ENTRIES_MAX) {
      throw new GalleyError("resource_exhausted", `the layer has more than ${ENTRIES_MAX} entries`, { op: "unpack" });
    }
    const path = layerPath(entry.name, entry);
    const whiteout = whiteoutOf(path.name);
    if (path.name === "") this.#setRoot(entry);
    else if (isInMetadata(path.parent)) return;
    else if (whiteout === undefined) this.#make(path, entry);
    else if (whiteout.kind === "opaque") this.#directory(path.parent, entry).opaque = true;
    else if (whiteout.kind === "name") this.#remove({ parent: path.parent, name: whiteout.name }, entry);
  }

  /** Content stays where it is, in the tar. */
  data(): void {}

  end(): void {}

  /** What it came to; `opaque` of the directories that are there at the end. */
  totals(opaqueDirectories: number): LayerTotals {
    const opaque = this.root.opaque ? "root" : opaqueDirectories > 0 ? "some" : "none";
    return { size: this.#size, entries: this.#entries, opaque };
  }

  #setRoot(entry: TarEntry): void {
    if (entry.type !== "directory") throw refused(entry, `the layer's root is a ${entry.type}`);
    this.root.attributes = attributesOf(entry);
  }

  /** A removal concerns lower layers alone: a directory of this layer stays, and hides what is below it. */
  #remove(path: LayerPath, entry: TarEntry): void {
    if (path.name === "") throw refused(entry, "it removes no name");
    const parent = this.#directory(path.parent, entry);
    const there = parent.names.get(path.name);
    if (there === undefined) parent.names.set(checkedName(path.name, entry), removal());
    else if (there.kind === "directory") there.opaque = true;
  }

  #make(path: LayerPath, entry: TarEntry): void {
    const parent = this.#directory(path.parent, entry);
    let made = this.#node(parent, entry);
    const there = parent.names.get(path.name);
    if (there === made) return;
    if (there?.kind === "directory" && made.kind === "directory") {
      there.attributes = made.attributes;
      return;
    }
    if (there !== undefined) {
      this.#makeWay(parent, path.name, there);
      if (entry.type === "hardlink") made = this.#target(entry);
      else if (made.kind === "directory" && isRemoval(there)) made.opaque = true;
    }
    parent.names.set(checkedName(path.name, entry), made);
    if (made.kind === "file" && entry.type !== "hardlink") this.#size += made.size;
  }

  #makeWay(parent: DirectoryNode, name: string, there: Node): void {
    parent.names.delete(name);
    if (there.kind === "directory" || there.kind === "symlink") this.#paths.forget();
  }

  #node(parent: DirectoryNode, entry: TarEntry): Node {
    if (entry.type === "hardlink") return this.#target(entry);
    const attributes = attributesOf(entry);
    const unplaced = { attributes, links: 0, at: -1 };
    switch (entry.type) {
      case "directory":
        return newDirectory(parent, attributes);
      case "file":
        return { kind: "file", ...unplaced, size: entry.size, start: entry.content, segments: entry.segments };
      case "symlink":
        return { kind: "symlink", ...unplaced, target: checkedTarget(entry) };
      default:
        return { kind: entry.type, ...unplaced, device: deviceOf(entry) };
    }
  }

  /** What an earlier entry of this layer made. A symbolic link is linked itself, never what it leads to. */
  #target(entry: TarEntry): Node {
    const path = layerPath(entry.linkName, entry);
    const parent = this.#paths.directory(path.parent, false);
    const target = typeof parent === "string" ? undefined : path.name === "" ? parent : parent.names.get(path.name);
    if (target === undefined || isRemoval(target)) {
      throw refused(entry, `its hard link's target ${shown(entry.linkName)} is not in the layer`);
    }
    if (target.kind !== "directory") return target;
    throw refused(entry, `its hard link's target ${shown(entry.linkName)} is a directory`);
  }

  #directory(path: string, entry: TarEntry): DirectoryNode {
    const found = this.#paths.directory(path, true);
    if (typeof found === "string") throw refused(entry, `${found} on the way to ${shown(entry.name)}`);
    return found;
  }
}

function checkedName(name: string, entry: TarEntry): string {
  if (isTooLong(name)) throw refused(entry, "ENAMETOOLONG: the name is too long");
  return name;
}

function checkedTarget(entry: TarEntry): string {
  if (entry.linkName === "") throw refused(entry, "the symbolic link has no target");
  if (Buffer.byteLength(entry.linkName) > TARGET_MAX) throw refused(entry, "the symbolic link's target is too long");
  return entry.linkName;
}

function deviceOf(entry: TarEntry): number {
  const device = entry.type === "fifo" ? 0 : makeDevice(entry.major, entry.minor);
  if (device === undefined) throw refused(entry, `there is no device ${entry.major}:${entry.minor}`);
  return device;
}

function attributesOf(entry: TarEntry): Attributes {
  const { mode, uid, gid, modified, xattrs } = entry;
  return {
    mode: entry.type === "symlink" ? 0o777 : mode,
    uid,
    gid,
    modified,
    xattrs: xattrs === undefined ? undefined : checkedXattrs(xattrs, entry),
  };
}

function removal(): Node {
  return { kind: "char", attributes: { ...plainAttributes, mode: 0 }, links: 0, at: -1, device: 0 };
}
