import { posix } from "node:path";
import { GalleyError } from "../../errors.ts";

/** What is at a path: of the source it is certain, of the destination it may be nothing. */
export interface CopySource {
  /** As it was written. */
  readonly path: string;
  readonly directory: boolean;
  /** What the archive calls it. */
  readonly name: string;
}

export interface CopyTarget {
  /** As it was written, links at its end followed. */
  readonly path: string;
  readonly exists: boolean;
  readonly directory: boolean;
}

export interface CopyPlan {
  /** Where the archive is unpacked. */
  readonly directory: string;
  /** What a name of the archive becomes. */
  readonly rename: (name: string) => string;
}

/**
 * Where a copy goes and what it is called there (docker's rules): into a directory that exists under its own name, or only its content
 * where the source ends in `/.`; in place of a file, or of nothing, under the destination's name.
 */
export function planCopy(source: CopySource, target: CopyTarget): CopyPlan {
  if (!source.directory && endsAsDirectory(source.path)) throw refused("not a directory", source.path);
  if (target.exists && target.directory) {
    const name = contentOnly(source.path) ? "" : baseName(source.path, source.name);
    return { directory: target.path, rename: renamer(source.name, name) };
  }
  if (target.exists && source.directory) throw refused("cannot copy directory", target.path);
  if (target.exists && endsAsDirectory(target.path)) throw refused("not a directory", target.path);
  if (!target.exists && !source.directory && endsAsDirectory(target.path))
    throw refused("no such directory", target.path);
  const plain = posix.normalize(target.path).replace(/\/+$/, "");
  return { directory: posix.dirname(plain), rename: renamer(source.name, posix.basename(plain)) };
}

function refused(message: string, subject: string): GalleyError {
  return new GalleyError("invalid_argument", message, { op: "copy", subject });
}

/** Whether only a directory can be meant. */
export function endsAsDirectory(path: string): boolean {
  return path.endsWith("/") || contentOnly(path);
}

function contentOnly(path: string): boolean {
  return path === "." || path.endsWith("/.");
}

/** The name by which the user called it, which is another than the archive's where a link was followed. */
function baseName(path: string, name: string): string {
  const base = posix.basename(posix.normalize(path));
  return base === "" || base === "." || base === ".." ? name : base;
}

function renamer(from: string, to: string): (name: string) => string {
  return (name) => {
    const plain = name.replace(/^\/+|\/+$/g, "");
    if (plain === from) return to;
    return plain.startsWith(`${from}/`) ? `${to === "" ? "" : `${to}/`}${plain.slice(from.length + 1)}` : plain;
  };
}
