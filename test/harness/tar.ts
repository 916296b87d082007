/**
 * Writes tar archives, well-formed and hostile: nothing about an entry is checked. Header layout: POSIX.1-1988 ustar;
 * extended headers: pax(1); numbers too large for their octal field: GNU base-256.
 */

/** One entry. What is absent is a plain value: mode 0644 (0755 for directories), owner 0, time 0, no content. */
export interface TarEntry {
  readonly name: string;
  /** The type flag: `0` file, `1` hard link, `2` symbolic link, `3` `4` devices, `5` directory, `6` FIFO, or any other. */
  readonly type?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Seconds since 1970; for fractions use `pax.mtime`. */
  readonly mtime?: number;
  readonly link?: string;
  readonly major?: number;
  readonly minor?: number;
  readonly uname?: string;
  readonly gname?: string;
  readonly content?: string | Uint8Array;
  /** What the header claims, where that is not the content's length. */
  readonly size?: number;
  /** Records of an extended header before the entry: `path`, `mtime`, `SCHILY.xattr.user.x`, … */
  readonly pax?: Readonly<Record<string, string | Uint8Array>>;
  /** Cut a long name to the header's 100 bytes, instead of the extended header that an honest writer makes. */
  readonly raw?: boolean;
  /** Changes the finished 512-byte header, after its checksum. */
  readonly spoil?: (header: Uint8Array) => void;
}

const BLOCK = 512;
const encoder = new TextEncoder();

/** An archive of the entries, ended by two empty blocks unless `end` is false. */
export function tar(entries: readonly TarEntry[], options: { readonly end?: boolean } = {}): Uint8Array {
  const parts = entries.flatMap(entryBlocks);
  return concat(options.end === false ? parts : [...parts, new Uint8Array(2 * BLOCK)]);
}

function entryBlocks(entry: TarEntry): Uint8Array[] {
  const records = { ...longNames(entry), ...entry.pax };
  const extended = Object.keys(records).length === 0 ? [] : paxBlocks(records);
  return [...extended, header(entry), ...padded(bytesOf(entry.content))];
}

function longNames(entry: TarEntry): Record<string, string> {
  const long: Record<string, string> = {};
  if (entry.raw === true) return long;
  if (encoder.encode(entry.name).length > 100) long.path = entry.name;
  if (encoder.encode(entry.link ?? "").length > 100) long.linkpath = entry.link ?? "";
  return long;
}

function paxBlocks(records: Readonly<Record<string, string | Uint8Array>>): Uint8Array[] {
  const content = concat(Object.entries(records).map(([key, value]) => paxRecord(key, value)));
  return [header({ name: "PaxHeaders/0", type: "x", content }), ...padded(content)];
}

/** `LENGTH KEY=VALUE\n`, whose length counts its own digits. */
export function paxRecord(key: string, value: string | Uint8Array): Uint8Array {
  const rest = concat([encoder.encode(` ${key}=`), bytesOf(value), encoder.encode("\n")]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return concat([encoder.encode(String(length)), rest]);
}

function header(entry: TarEntry): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const text = (offset: number, length: number, value: string) =>
    block.set(encoder.encode(value).subarray(0, length), offset);
  text(0, 100, entry.name);
  number(block, 100, 8, entry.mode ?? (entry.type === "5" ? 0o755 : 0o644));
  number(block, 108, 8, entry.uid ?? 0);
  number(block, 116, 8, entry.gid ?? 0);
  number(block, 124, 12, entry.size ?? bytesOf(entry.content).length);
  number(block, 136, 12, entry.mtime ?? 0);
  text(156, 1, entry.type ?? "0");
  text(157, 100, entry.link ?? "");
  text(257, 8, "ustar\u000000");
  text(265, 32, entry.uname ?? "");
  text(297, 32, entry.gname ?? "");
  number(block, 329, 8, entry.major ?? 0);
  number(block, 337, 8, entry.minor ?? 0);
  checksum(block);
  entry.spoil?.(block);
  return block;
}

/** Octal digits and a NUL, or base-256 (first byte 0x80, or 0xff below zero) where they do not suffice. */
function number(block: Uint8Array, offset: number, length: number, value: number): void {
  const digits = value.toString(8);
  if (value >= 0 && digits.length < length) {
    block.set(encoder.encode(digits.padStart(length - 1, "0")), offset);
    return;
  }
  let rest = BigInt(value);
  for (let index = length - 1; index >= 0; index--, rest >>= 8n) block[offset + index] = Number(rest & 0xffn);
  block[offset] = (block[offset] ?? 0) | 0x80;
}

/** The sum of the header's bytes, the checksum's own field taken as spaces. */
export function checksum(block: Uint8Array): void {
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.set(encoder.encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
}

function padded(content: Uint8Array): Uint8Array[] {
  return content.length === 0 ? [] : [content, new Uint8Array((BLOCK - (content.length % BLOCK)) % BLOCK)];
}

/** UTF-8 of a string; bytes as they are; nothing for undefined. */
export function bytesOf(content: string | Uint8Array | undefined): Uint8Array {
  return typeof content === "string" ? encoder.encode(content) : (content ?? new Uint8Array());
}

/** One array of all the parts. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

type Attributes = Omit<TarEntry, "name" | "type" | "link" | "content">;

/** A regular file. */
export function file(name: string, content: string | Uint8Array = "", attributes: Attributes = {}): TarEntry {
  return { ...attributes, name, content };
}

/** A directory; the name gets the `/` that archives end it with. */
export function directory(name: string, attributes: Attributes = {}): TarEntry {
  return { mode: 0o755, ...attributes, name: name.endsWith("/") ? name : `${name}/`, type: "5" };
}

/** A symbolic link to `target`. */
export function symlink(name: string, target: string, attributes: Attributes = {}): TarEntry {
  return { mode: 0o777, ...attributes, name, type: "2", link: target };
}

/** A hard link to the earlier entry `target`. */
export function hardlink(name: string, target: string, attributes: Attributes = {}): TarEntry {
  return { ...attributes, name, type: "1", link: target };
}

/** A character or block device. */
export function device(
  name: string,
  kind: "c" | "b",
  major: number,
  minor: number,
  attributes: Attributes = {},
): TarEntry {
  return { ...attributes, name, type: kind === "c" ? "3" : "4", major, minor };
}

/** A named pipe. */
export function fifo(name: string, attributes: Attributes = {}): TarEntry {
  return { ...attributes, name, type: "6" };
}

/** The mark that removes `path` of the layers below (image-spec layer.md). */
export function whiteout(path: string): TarEntry {
  const at = path.lastIndexOf("/") + 1;
  return file(`${path.slice(0, at)}.wh.${path.slice(at)}`);
}

/** The mark that hides everything that the layers below have in `folder`. */
export function opaque(folder: string): TarEntry {
  return file(`${folder.replace(/\/$/, "")}/.wh..wh..opq`);
}
