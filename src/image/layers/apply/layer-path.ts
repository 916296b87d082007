import { GalleyError } from "../../../errors.ts";
import { REMEDY } from "../../verify/remedy.ts";
import type { TarEntry } from "../tar/entry.ts";
import { shown } from "../tar/malformed.ts";

/** A place in a layer: the directory's path, `""` for the layer's root, and the name in it. The root itself has the name `""`. */
export interface LayerPath {
  readonly parent: string;
  readonly name: string;
}

/** What the kernel takes at most (PATH_MAX, less the NUL at the end). */
const NAME_MAX = 4095;

/** A part that is empty, `.` or `..`. */
const OTHER_PARTS = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * Where a name in an archive lies in the layer. Absolute names count from the layer's root, as do all; one that `..` leads out of it
 * is refused with `invalid_argument`.
 */
export function layerPath(name: string, entry: TarEntry): LayerPath {
  if (name.length > NAME_MAX) throw refused(entry, `a name of ${name.length} characters is too long`);
  const plain = name.endsWith("/") ? name.slice(0, -1) : name;
  return OTHER_PARTS.test(plain) ? resolved(name, entry) : divided(plain);
}

/** A name of which every part is a file's name, as nearly all are. */
function divided(name: string): LayerPath {
  const at = name.lastIndexOf("/");
  return { parent: name.slice(0, Math.max(at, 0)), name: name.slice(at + 1) };
}

function resolved(name: string, entry: TarEntry): LayerPath {
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) throw refused(entry, `${shown(name)} leads out of the layer`);
  }
  const last = parts.pop() ?? "";
  return { parent: parts.join("/"), name: last };
}

/** `parent/name`, without a slash before. */
export function joined({ parent, name }: LayerPath): string {
  return parent === "" ? name : `${parent}/${name}`;
}

/** An entry that no layer may hold. */
export function refused(entry: TarEntry, what: string): GalleyError {
  const subject = shown(entry.name);
  const message = `${what} (at byte ${entry.offset} of the tar)`;
  return new GalleyError("invalid_argument", message, { op: "unpack", subject, hint: REMEDY });
}
