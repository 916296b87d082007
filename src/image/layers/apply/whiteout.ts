/** Removals in a layer (image-spec layer.md, "Whiteouts") and how overlayfs has them (Documentation/filesystems/overlayfs.rst). */
import { fsetxattr, isErrno, mknodat, S } from "../../../linux/sys/sys.ts";

const PREFIX = ".wh.";
const OPAQUE = ".wh..wh..opq";

export type Whiteout =
  /** The name is removed. */
  | { readonly kind: "name"; readonly name: string }
  /** Everything that lower layers have in the directory is removed. */
  | { readonly kind: "opaque" }
  /** Aufs' own files, which mean nothing to others. */
  | { readonly kind: "ignored" };

/** What a name in a layer removes; `undefined` for an ordinary name. An empty `name` is none that can be removed. */
export function whiteoutOf(name: string): Whiteout | undefined {
  if (!name.startsWith(PREFIX)) return undefined;
  if (name === OPAQUE) return { kind: "opaque" };
  if (name.startsWith(".wh..wh.")) return { kind: "ignored" };
  const removed = name.slice(PREFIX.length);
  return { kind: "name", name: removed === "." || removed === ".." ? "" : removed };
}

/** Whether a path lies in one of aufs' own directories. */
export function isInMetadata(parent: string): boolean {
  return parent.startsWith(".wh..wh.") || parent.includes("/.wh..wh.");
}

/** Makes overlayfs' whiteout. A user without privilege may make this one device (Linux 5.8). */
export function makeWhiteout(dirfd: number, name: string): void {
  mknodat(dirfd, name, S.IFCHR, 0);
}

/** Hides what lower layers have in a directory that is open for reading. Without privilege overlayfs is mounted with `userxattr`. */
export function makeOpaque(fd: number): void {
  const yes = Buffer.from("y");
  try {
    fsetxattr(fd, "trusted.overlay.opaque", yes);
  } catch (failure) {
    if (!isErrno(failure, "EPERM")) throw failure;
    fsetxattr(fd, "user.overlay.opaque", yes);
  }
}
