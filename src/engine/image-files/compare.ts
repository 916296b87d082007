import type { LayerView } from "../../image/layers/view/view.ts";
import type { FileStatus } from "../../linux/sys/sys.ts";
import type { FileChange } from "../types.ts";

/** Files of an image; `undefined` of one without layers. */
type Files = LayerView | undefined;

/** What of one tree differs from another, by path: what is new or another in `now`, and what of `before` is gone with all below it. */
export function compareViews(now: Files, before: Files): readonly FileChange[] {
  return [...changedIn(now, before), ...removedFrom(now, before)].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function* changedIn(now: Files, before: Files): Generator<FileChange> {
  for (const entry of now?.walk() ?? []) {
    if (entry.kind === "leave" || entry.path === "") continue;
    const path = `/${entry.path}`;
    const old = before?.tryStat(path, { follow: false });
    if (old === undefined) yield { kind: "added", path };
    else if (differs(entry.status, old)) yield { kind: "changed", path };
  }
}

function* removedFrom(now: Files, before: Files): Generator<FileChange> {
  let below: string | undefined;
  for (const { kind, path } of before?.walk() ?? []) {
    if (kind === "leave" || path === "" || (below !== undefined && path.startsWith(below))) continue;
    if (now?.tryStat(`/${path}`, { follow: false }) !== undefined) continue;
    below = `${path}/`;
    yield { kind: "removed", path: `/${path}` };
  }
}

function differs(one: FileStatus, other: FileStatus): boolean {
  const same = one.type === other.type && one.mode === other.mode && one.uid === other.uid && one.gid === other.gid;
  if (!same || one.type === "directory") return !same;
  const sameTime = one.modified.seconds === other.modified.seconds;
  return one.size !== other.size || one.rdev !== other.rdev || !sameTime;
}
