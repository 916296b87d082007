import type { DirectoryNode, Node } from "./node.ts";
import { newDirectory } from "./node.ts";

/** As many links as the kernel follows in one path (path_resolution(7)). */
const LINKS_MAX = 40;

/** Bytes of a name, at most (linux/limits.h, NAME_MAX); erofs has the same bound. */
const NAME_MAX = 255;

/** Why a path leads to no directory, in the kernel's words. */
export type PathFault = "ENOENT" | "ENOTDIR" | "ELOOP" | "ENAMETOOLONG";

/**
 * Paths of a layer that is being put together in memory. They are resolved as the kernel would below the layer's root: symbolic links
 * of the layer are followed and never lead out.
 */
export class TreePaths {
  /** Archives stay in one directory for long, and come back to those above. */
  readonly #known = new Map<string, DirectoryNode>();

  constructor(private readonly root: DirectoryNode) {}

  /** The directory, or why there is none. What is missing of it is made where `make` says so. */
  directory(path: string, make: boolean): DirectoryNode | PathFault {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const found = this.#walk(path, make);
    if (typeof found !== "string") this.#known.set(path, found);
    return found;
  }

  /** Paths may mean something else from now on: a directory or a link was replaced. */
  forget(): void {
    this.#known.clear();
  }

  #walk(path: string, make: boolean): DirectoryNode | PathFault {
    let at = this.root;
    const rest = path.split("/").reverse();
    for (let links = 0; ; ) {
      const name = rest.pop();
      if (name === undefined) return at;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        at = at.parent;
        continue;
      }
      const next = at.names.get(name) ?? (make ? this.#make(at, name) : "ENOENT");
      if (typeof next === "string") return next;
      if (next.kind === "directory") at = next;
      else if (next.kind !== "symlink") return "ENOTDIR";
      else if (++links > LINKS_MAX) return "ELOOP";
      else {
        if (next.target.startsWith("/")) at = this.root;
        rest.push(...next.target.split("/").reverse());
      }
    }
  }

  #make(parent: DirectoryNode, name: string): Node | PathFault {
    if (isTooLong(name)) return "ENAMETOOLONG";
    const made = newDirectory(parent);
    parent.names.set(name, made);
    return made;
  }
}

/** Whether no file system has room for the name. */
export function isTooLong(name: string): boolean {
  return 3 * name.length > NAME_MAX && Buffer.byteLength(name) > NAME_MAX;
}
