import { type FileStatus, isErrno, O, readDirectory, tryLstatat } from "../sys/sys.ts";
import { Cursor } from "./cursor.ts";
import type { Root } from "./root.ts";

export interface WalkEntry {
  /** `enter`: before a directory's content; `leave`: after it; `other`: anything but a directory. */
  readonly kind: "enter" | "leave" | "other";
  /** From the start of the walk, without a slash before; `""` is the start itself. */
  readonly path: string;
  readonly name: string;
  /** The directory that holds the name, open for reading until the next step of the walk. The start itself is `.` in itself. */
  readonly dirfd: number;
  readonly status: FileStatus;
}

/** What is left to do in one directory of the walk. */
interface Frame {
  readonly status: FileStatus;
  readonly names: string[];
}

/**
 * All of a tree, each directory before and after its content, names in the order of their text. Follows no link below the start; a
 * directory that something is mounted on counts as empty, unless `crosses` lets the walk into that mount, of whose root it is given a
 * descriptor. What vanishes meanwhile is left out.
 */
export function* walk(
  root: Root,
  path = "/",
  crosses?: (mounted: number) => boolean,
): Generator<WalkEntry, void, undefined> {
  using cursor = new Cursor(root.open(path, O.RDONLY | O.DIRECTORY), crosses);
  const start = tryLstatat(cursor.fd, "");
  if (start === undefined) return;
  yield { kind: "enter", path: "", name: ".", dirfd: cursor.fd, status: start };
  const frames: Frame[] = [{ status: start, names: namesOf(cursor.fd) }];
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    const name = frame.names.pop();
    if (name !== undefined) yield* visit(cursor, name, frames);
    else yield* leave(cursor, frames);
  }
}

function* visit(cursor: Cursor, name: string, frames: Frame[]): Generator<WalkEntry> {
  const status = tryLstatat(cursor.fd, name);
  if (status === undefined) return;
  const path = cursor.pathOf(name);
  const kind = status.type === "directory" ? "enter" : "other";
  yield { kind, path, name, dirfd: cursor.fd, status };
  if (kind === "other") return;
  if (entered(cursor, name)) frames.push({ status, names: namesOf(cursor.fd) });
  else yield { kind: "leave", path, name, dirfd: cursor.fd, status };
}

/** Not so where another file system is mounted. */
function entered(cursor: Cursor, name: string): boolean {
  try {
    cursor.enter(name);
    return true;
  } catch (failure) {
    if (isErrno(failure, "EXDEV")) return false;
    throw failure;
  }
}

function* leave(cursor: Cursor, frames: Frame[]): Generator<WalkEntry> {
  const frame = frames.pop();
  if (frame === undefined) return;
  const path = cursor.path;
  const name = cursor.depth === 0 ? "." : cursor.leave();
  yield { kind: "leave", path, name, dirfd: cursor.fd, status: frame.status };
}

/** Backwards, so that the next one is the last. */
function namesOf(fd: number): string[] {
  return readDirectory(fd)
    .map((entry) => entry.name)
    .sort()
    .reverse();
}
