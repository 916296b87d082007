import type { LayerView } from "../../image/layers/view/view.ts";
import { type Root, type WalkEntry, walk } from "../../linux/fs-at/fs-at.ts";
import { type FileStatus, isErrno, lgetxattrat } from "../../linux/sys/sys.ts";
import type { FileChange } from "../types.ts";
import { isMountPoint } from "./mount-points.ts";

/** A directory of the upper layer that is being walked. */
interface Frame {
  readonly entry: WalkEntry;
  /** Of the directory of this name below, where there is one to be merged with. */
  readonly below: FileStatus | undefined;
  /** Everything below is hidden: what is not made anew is removed. */
  readonly opaque: boolean;
  readonly names: Set<string>;
  /** Where the changes inside begin in the list. */
  readonly from: number;
}

/**
 * What an overlay's upper directory changes of the layers below it, by path, in the order of the text. A directory counts as changed
 * where something in it is, or its owner or mode: its time alone says that something was made and removed again.
 */
export function changesOf(upper: Root, lower: LayerView): readonly FileChange[] {
  const walker = new ChangeWalker(lower);
  for (const entry of walk(upper)) walker.visit(entry);
  return walker.changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

class ChangeWalker {
  readonly changes: FileChange[] = [];
  readonly #frames: Frame[] = [];

  constructor(private readonly lower: LayerView) {}

  visit(entry: WalkEntry): void {
    if (entry.kind === "leave") this.#leave();
    else if (entry.kind === "enter") this.#enter(entry);
    else this.#file(entry);
  }

  #enter(entry: WalkEntry): void {
    const below = this.#below(entry);
    const opaque = below !== undefined && isOpaque(entry);
    this.#frames.at(-1)?.names.add(entry.name);
    this.#frames.push({ entry, below, opaque, names: new Set(), from: this.changes.length });
  }

  #leave(): void {
    const frame = this.#frames.pop();
    if (frame === undefined) return;
    if (frame.opaque) this.#addHidden(frame);
    const { entry, below } = frame;
    if (entry.path === "") return;
    const inside = this.changes.length > frame.from;
    if (below?.type === "directory") {
      if (inside || isChanged(entry.status, below)) this.#add("changed", entry.path);
    } else if (below !== undefined) this.#add("changed", entry.path);
    else if (inside || !isMountPoint(entry)) this.#add("added", entry.path);
  }

  #file(entry: WalkEntry): void {
    const below = this.#below(entry);
    this.#frames.at(-1)?.names.add(entry.name);
    if (isWhiteout(entry.status)) {
      if (below !== undefined) this.#add("removed", entry.path);
    } else if (below === undefined) {
      if (!isMountPoint(entry)) this.#add("added", entry.path);
    } else if (isChanged(entry.status, below)) this.#add("changed", entry.path);
  }

  /** What the layers below have of this name; nothing where the directory it is in is new. */
  #below({ path }: WalkEntry): FileStatus | undefined {
    const parent = this.#frames.at(-1);
    if (parent !== undefined && parent.below?.type !== "directory") return undefined;
    return this.lower.tryStat(`/${path}`, { follow: false });
  }

  #addHidden({ entry, names }: Frame): void {
    for (const { name } of this.lower.readdir(`/${entry.path}`)) {
      if (!names.has(name)) this.#add("removed", entry.path === "" ? name : `${entry.path}/${name}`);
    }
  }

  #add(kind: FileChange["kind"], path: string): void {
    this.changes.push({ kind, path: `/${path}` });
  }
}

/** A copy that overlayfs made in order to change it, and that is as it was, is no change. */
function isChanged(now: FileStatus, before: FileStatus): boolean {
  if (now.type !== before.type || now.mode !== before.mode || now.uid !== before.uid || now.gid !== before.gid)
    return true;
  if (now.type === "directory") return false;
  const { seconds, nanoseconds } = now.modified;
  const sameTime = seconds === before.modified.seconds && nanoseconds === before.modified.nanoseconds;
  return now.rdev !== before.rdev || now.size !== before.size || !sameTime;
}

function isWhiteout({ type, rdev }: FileStatus): boolean {
  return type === "char" && rdev === 0;
}

function isOpaque({ dirfd, name }: WalkEntry): boolean {
  try {
    const value = lgetxattrat(dirfd, name, "trusted.overlay.opaque") ?? lgetxattrat(dirfd, name, "user.overlay.opaque");
    return value?.[0] === 0x79;
  } catch (failure) {
    if (isErrno(failure, "ENOENT", "EPERM")) return false;
    throw failure;
  }
}
