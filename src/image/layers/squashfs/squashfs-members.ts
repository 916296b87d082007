import { GalleyError } from "../../../errors.ts";
import { Expansion } from "../../verify/expansion.ts";
import { shown } from "../tar/malformed.ts";
import { isArchived } from "../tar/tree-members.ts";
import type { NewEntry } from "../tar/write-header.ts";
import type { NewMember } from "../tar/write-tar.ts";
import type { Name } from "./directory.ts";
import { damaged } from "./fault.ts";
import type { DirectoryInode, Inode } from "./inode.ts";
import type { Section } from "./section.ts";
import { Squashfs } from "./squashfs.ts";

/** Bytes of a path, as Linux has it (PATH_MAX, with its zero). */
const PATH_MAX = 4095;

/** Bytes of an entry's header in an archive. */
const HEADER = 512;

/** Bytes of names that are remembered, of files that have several. */
const LINKS_MAX = 128 << 20;

/** A directory that is being read, and what it is called in the archive. */
interface Level {
  readonly path: string;
  readonly names: Iterator<Name>;
}

/**
 * Members of an archive of a squashfs, for `writeTar`: everything but sockets, as GNU tar has it; hard links as such, owners by number,
 * attributes but overlayfs' own. Each is to be written before the next is asked for. What it makes is bounded as that of compressed
 * content is: `resource_exhausted`.
 */
export function* squashfsMembers(section: Section, expansion = new Expansion()): Generator<NewMember, void, undefined> {
  expansion.packed(section.size);
  const account = (bytes: number) => expansion.check(bytes);
  for (const member of new Tree(new Squashfs(section, account), account).members()) {
    account(member.entry.size ?? 0);
    yield member;
  }
}

/** What is remembered on the way through a file system. */
class Tree {
  /** First names of files that have several. */
  readonly #links = new Map<number, string>();
  /** A bit for each directory that was entered. */
  readonly #entered: Uint8Array;
  #remembered = 0;

  /** @param account told of the bytes that each name stands for, whether or not it becomes a member: two directories may have the same list */
  constructor(
    private readonly files: Squashfs,
    private readonly account: (bytes: number) => void,
  ) {
    this.#entered = new Uint8Array((files.inodes >> 3) + 1);
  }

  *members(): Generator<NewMember> {
    const root = this.files.inode(this.files.root);
    if (root.type !== "directory") throw damaged(`its root is a ${root.type} and no directory`);
    yield this.#member(root, ".");
    const levels = [this.#enter(root, "")];
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const { value, done } = level.names.next();
      if (done === true) {
        levels.pop();
        continue;
      }
      const path = below(level.path, value.name);
      this.account(HEADER + path.length);
      const inode = this.#named(value, path);
      if (inode.type !== "socket") yield this.#member(inode, path);
      if (inode.type === "directory") levels.push(this.#enter(inode, path));
    }
  }

  #named({ inode: place, type }: Name, path: string): Inode {
    const inode = this.files.inode(place);
    if (inode.type === type) return inode;
    throw damaged(`${shown(path)} is a ${inode.type}, and its directory says something else`);
  }

  /** Each directory has one place: otherwise it could be in itself. */
  #enter(inode: DirectoryInode, path: string): Level {
    const [byte, bit] = [inode.number >> 3, 1 << (inode.number & 7)];
    const bits = this.#entered[byte] ?? 0;
    if ((bits & bit) !== 0) throw damaged(`the directory ${shown(path)} is in two places, or in itself`);
    this.#entered[byte] = bits | bit;
    return { path, names: this.files.names(inode) };
  }

  #member(inode: Inode, name: string): NewMember {
    const common = { name, mode: inode.mode, ...this.files.owners(inode), modified: timeOf(inode) };
    const several = inode.links > 1 && inode.type !== "directory";
    const first = several ? this.#links.get(inode.number) : undefined;
    if (first !== undefined) return { entry: { ...common, type: "hardlink", linkName: first } };
    if (several) this.#remember(inode.number, name);
    const entry = { ...common, ...special(inode), ...this.#attributes(inode) };
    return inode.type === "file" ? { entry, content: this.files.content(inode) } : { entry };
  }

  #remember(number: number, name: string): void {
    this.#remembered += name.length;
    if (this.#remembered > LINKS_MAX)
      throw new GalleyError(
        "resource_exhausted",
        `its files with several names have more than ${LINKS_MAX} bytes of them`,
      );
    this.#links.set(number, name);
  }

  #attributes(inode: Inode): Pick<NewEntry, "xattrs"> {
    const all = this.files.xattrs(inode);
    return all === undefined ? {} : { xattrs: new Map([...all].filter(([name]) => isArchived(name))) };
  }
}

function below(path: string, name: string): string {
  const whole = path === "" ? name : `${path}/${name}`;
  if (Buffer.byteLength(whole) > PATH_MAX) throw damaged(`the path ${shown(whole)} is too long`);
  return whole;
}

function timeOf(inode: Inode) {
  return { seconds: inode.modified, nanoseconds: 0 };
}

function special(inode: Inode): Pick<NewEntry, "type" | "size" | "linkName" | "major" | "minor"> {
  switch (inode.type) {
    case "file":
      return { type: "file", size: inode.size };
    case "symlink":
      return { type: "symlink", linkName: inode.target };
    case "block":
    case "char":
      return { type: inode.type, major: inode.major, minor: inode.minor };
    default:
      return { type: inode.type === "directory" ? "directory" : "fifo" };
  }
}
