import { GalleyError, toGalleyError } from "../../errors.ts";
import {
  chmodPathFd,
  fstat,
  isErrno,
  O,
  openat,
  readDirectory,
  rmdirat,
  SystemError,
  tryLstatat,
  unlinkat,
  withFd,
} from "../sys/sys.ts";
import { Cursor } from "./cursor.ts";
import { splitPath, withParent } from "./paths.ts";
import type { Root } from "./root.ts";

/**
 * Removes what `path` names and all below it; a no-op where there is nothing. No link is followed and no mount entered: a mount in
 * the tree is `failed_precondition`, and what is mounted stays untouched. A file that is immutable is `permission_denied`. Both name
 * the path; what could be removed before is gone.
 */
export function removeTree(root: Root, path: string): void {
  try {
    const { parent } = splitPath(path);
    const prefix = parent === "." ? "" : parent.endsWith("/") ? parent : `${parent}/`;
    withParent(root.fd, path, "unlinkat", (dirfd, name) => removeAt(dirfd, name, prefix));
  } catch (failure) {
    if (!isErrno(failure, "ENOENT"))
      throw failure instanceof SystemError ? explained(failure.of(path), undefined) : failure;
  }
}

/** As {@link removeTree}, of a name in an open directory. `prefix` stands before the names in failures. */
export function removeAt(dirfd: number, name: string, prefix = ""): void {
  const status = tryLstatat(dirfd, name);
  if (status === undefined) return;
  if (status.type === "directory") removeContent(dirfd, name, prefix);
  removeName(dirfd, name, () => prefix + name, status.type === "directory");
}

function removeContent(dirfd: number, name: string, prefix: string): void {
  using cursor = new Cursor(openat(dirfd, ".", O.RDONLY | O.DIRECTORY));
  const pending: string[][] = [];
  enter(cursor, name, pending, prefix);
  while (pending.length > 0) {
    const child = pending.at(-1)?.pop();
    if (child !== undefined) enter(cursor, child, pending, prefix);
    else {
      pending.pop();
      const left = cursor.leave();
      if (pending.length > 0) removeName(cursor.fd, left, () => prefix + cursor.pathOf(left), true);
    }
  }
}

/** Goes into a directory, removes its files and notes its directories. */
function enter(cursor: Cursor, name: string, pending: string[][], prefix: string): void {
  openUp(cursor, name, prefix);
  const directories: string[] = [];
  for (const entry of readDirectory(cursor.fd)) {
    const type = entry.type ?? tryLstatat(cursor.fd, entry.name)?.type;
    if (type === "directory") directories.push(entry.name);
    else removeName(cursor.fd, entry.name, () => prefix + cursor.pathOf(entry.name), false);
  }
  pending.push(directories);
}

/** A directory of the user's own that its mode closes to him is opened first. */
function openUp(cursor: Cursor, name: string, prefix: string): void {
  try {
    tryEnter(cursor, name);
  } catch (failure) {
    throw failure instanceof SystemError ? explained(failure.of(prefix + cursor.pathOf(name)), undefined) : failure;
  }
}

function tryEnter(cursor: Cursor, name: string): void {
  try {
    cursor.enter(name);
  } catch (failure) {
    if (!isErrno(failure, "EACCES")) throw failure;
    withFd(openat(cursor.fd, name, O.PATH | O.DIRECTORY | O.NOFOLLOW), (fd) => chmodPathFd(fd, 0o700));
    cursor.enter(name);
  }
}

function removeName(dirfd: number, name: string, path: () => string, directory: boolean): void {
  try {
    if (directory) rmdirat(dirfd, name);
    else unlinkat(dirfd, name);
  } catch (failure) {
    if (isErrno(failure, "ENOENT")) return;
    throw failure instanceof SystemError ? explained(failure.of(path()), immutableOf(dirfd, name)) : failure;
  }
}

/** Which of the two forbids the removal: the file itself or its directory. */
function immutableOf(dirfd: number, name: string): "file" | "directory" | undefined {
  if (tryLstatat(dirfd, name)?.immutable === true) return "file";
  return fstat(dirfd).immutable ? "directory" : undefined;
}

function explained(failure: SystemError, immutable: "file" | "directory" | undefined): GalleyError {
  const subject = failure.path ?? "";
  const details = { op: "remove", subject, cause: failure };
  if (failure.code === "EPERM" && immutable !== undefined) {
    const what = immutable === "file" ? "it is" : "its directory is";
    return new GalleyError("permission_denied", `${what} immutable`, {
      ...details,
      hint: "chattr -i -a makes it removable",
    });
  }
  if (failure.code === "EXDEV" || failure.code === "EBUSY") {
    const hint = "unmount it first; findmnt shows what it is";
    return new GalleyError("failed_precondition", "something is mounted there", { ...details, hint });
  }
  return toGalleyError(failure, details);
}
