/** Extended attributes as erofs keeps them (linux fs/erofs/erofs_fs.h, "xattr entry"). */
import { encodeName } from "../../../linux/sys/sys.ts";
import { refused } from "../apply/layer-path.ts";
import { isAllowedAttribute } from "../apply/metadata.ts";
import type { TarEntry } from "../tar/entry.ts";
import { shown } from "../tar/malformed.ts";

/** Numbers that stand for the beginnings of names; other names no file system takes. */
const PREFIXES: readonly (readonly [string, number])[] = [
  ["user.", 1],
  ["trusted.", 4],
  ["security.", 6],
];
const ACLS: Readonly<Record<string, number>> = { "system.posix_acl_access": 2, "system.posix_acl_default": 3 };

/** Bytes of a name (linux/limits.h, XATTR_NAME_MAX), of a value, and of all that one inode has. */
const NAME_MAX = 255;
const VALUE_MAX = 65_535;
const INODE_MAX = 200_000;

/** Bytes of the header before an inode's attributes: a filter of names, and how many it shares with others. */
const IBODY = 12;

/** Attributes that an inode keeps as references to the common ones: the count is one byte. */
const SHARED_MAX = 255;

/** Overlayfs' note that a directory hides what lower layers have in it. */
export const OPAQUE: readonly [string, Uint8Array] = ["trusted.overlay.opaque", Buffer.from("y")];

/** Those of an entry that a layer may have, if any; what `LayerWriter` leaves out is left out here. */
export function checkedXattrs(
  xattrs: ReadonlyMap<string, Uint8Array>,
  entry: TarEntry,
): ReadonlyMap<string, Uint8Array> | undefined {
  const kept = new Map<string, Uint8Array>();
  let bytes = 0;
  for (const [name, value] of xattrs) {
    if (!isAllowedAttribute(name) || splitName(name) === undefined || !suits(name, entry)) continue;
    const length = encodeName(name).length;
    if (length > NAME_MAX || value.length > VALUE_MAX) throw refused(entry, `its attribute ${shown(name)} is too long`);
    kept.set(name, value);
    bytes += length + value.length;
  }
  if (bytes > INODE_MAX) throw refused(entry, "it has too many attributes");
  return kept.size === 0 ? undefined : kept;
}

/** Users' attributes are for files and directories (xattr(7)), access lists for all but links, default ones for directories. */
function suits(name: string, { type }: TarEntry): boolean {
  if (name.startsWith("user.")) return type === "file" || type === "directory";
  if (name === "system.posix_acl_default") return type === "directory";
  return !name.startsWith("system.") || type !== "symlink";
}

function splitName(name: string): { readonly index: number; readonly rest: string } | undefined {
  const acl = ACLS[name];
  if (acl !== undefined) return { index: acl, rest: "" };
  const [prefix, index] = PREFIXES.find(([text]) => name.startsWith(text) && name.length > text.length) ?? [];
  return prefix === undefined || index === undefined ? undefined : { index, rest: name.slice(prefix.length) };
}

/** One attribute's entry: lengths, the name's number and rest, the value; filled up to four bytes. */
function encode(name: string, value: Uint8Array): Buffer {
  const { index, rest } = splitName(name) ?? { index: 0, rest: name };
  const suffix = encodeName(rest);
  const entry = Buffer.alloc(Math.ceil((4 + suffix.length + value.length) / 4) * 4);
  entry[0] = suffix.length;
  entry[1] = index;
  entry.writeUInt16LE(value.length, 2);
  entry.set(suffix, 4);
  entry.set(value, 4 + suffix.length);
  return entry;
}

/** An attribute that several inodes may have. */
interface Attribute {
  readonly entry: Buffer;
  uses: number;
  /** Where it is among the common ones, in units of four bytes; -1 while it is an inode's own. */
  id: number;
}

/** All attributes of a layer. Equal ones of several inodes are kept once, in an area of their own. */
export class XattrTable {
  readonly #known = new Map<string, Attribute>();
  #shared: readonly Attribute[] = [];

  /** To be called once for each inode, before {@link share}. */
  count(xattrs: ReadonlyMap<string, Uint8Array>): void {
    for (const attribute of this.#of(xattrs)) attribute.uses++;
  }

  /** Decides what is common; gives how many bytes that takes. */
  share(): number {
    let bytes = 0;
    this.#shared = [...this.#known.values()].filter((attribute) => {
      if (attribute.uses < 2) return false;
      attribute.id = bytes / 4;
      bytes += attribute.entry.length;
      return true;
    });
    return bytes;
  }

  /** The common ones, one after the other. */
  common(): Buffer {
    return Buffer.concat(this.#shared.map(({ entry }) => entry));
  }

  /** What follows an inode: the header, references to common attributes, its own ones. */
  body(xattrs: ReadonlyMap<string, Uint8Array>): Buffer {
    const all = this.#of(xattrs);
    const shared = all.filter(({ id }) => id >= 0).slice(0, SHARED_MAX);
    const own = all.filter((attribute) => !shared.includes(attribute));
    const head = Buffer.alloc(IBODY + 4 * shared.length);
    head[4] = shared.length;
    shared.forEach(({ id }, position) => void head.writeUInt32LE(id, IBODY + 4 * position));
    return Buffer.concat([head, ...own.map(({ entry }) => entry)]);
  }

  #of(xattrs: ReadonlyMap<string, Uint8Array>): readonly Attribute[] {
    return [...xattrs].map(([name, value]) => {
      const entry = encode(name, value);
      const key = entry.toString("latin1");
      const known = this.#known.get(key) ?? { entry, uses: 0, id: -1 };
      this.#known.set(key, known);
      return known;
    });
  }
}

/** An inode's `i_xattr_icount` for so many bytes of attributes. */
export function xattrCount(bytes: number): number {
  return bytes === 0 ? 0 : (bytes - IBODY) / 4 + 1;
}
