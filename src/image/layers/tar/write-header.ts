import { encodeName, type Timespec } from "../../../linux/sys/sys.ts";
import type { TarType } from "./entry.ts";
import { BLOCK } from "./fields.ts";
import { paxRecord } from "./pax-record.ts";

/** An entry to write. What is absent is 0, empty, or root's. */
export interface NewEntry {
  /** Text as `decodeName` makes it; any length. Directories need no slash at the end. */
  readonly name: string;
  readonly type: TarType;
  readonly linkName?: string;
  /** The lower twelve bits. */
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Bytes of content that follow, of a file. */
  readonly size?: number;
  readonly modified?: Timespec;
  readonly major?: number;
  readonly minor?: number;
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}

const FLAGS: Readonly<Record<TarType, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  char: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

/** Largest values of header fields of 7 and 11 octal digits. */
const SMALL = 0o7777777;
const LARGE = 0o77777777777;
const TEXT = 100;

/**
 * Headers of an entry: a ustar block, and a PAX header before it where ustar cannot say it all: long names and those that are not
 * ASCII, large numbers, fractions of seconds, times before 1970, attributes. The same entry gives the same bytes.
 */
export function tarHeader(entry: NewEntry): Uint8Array {
  const name = nameBytes(entry);
  const linkName = encodeName(entry.linkName ?? "");
  const records = recordsOf(entry, name, linkName);
  const own = block(entry, name, linkName);
  return records.length === 0 ? own : Buffer.concat([extension(records), own]);
}

function nameBytes(entry: NewEntry): Uint8Array {
  const slash = entry.type === "directory" && !entry.name.endsWith("/") ? "/" : "";
  return encodeName(entry.name + slash);
}

function recordsOf(entry: NewEntry, name: Uint8Array, linkName: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  const add = (needed: boolean, keyword: string, value: string | Uint8Array) => {
    if (needed) records.push(paxRecord(keyword, value));
  };
  const time = entry.modified;
  add(!isPlain(name), "path", name);
  add(!isPlain(linkName), "linkpath", linkName);
  add((entry.size ?? 0) > LARGE, "size", String(entry.size));
  add((entry.uid ?? 0) > SMALL, "uid", String(entry.uid));
  add((entry.gid ?? 0) > SMALL, "gid", String(entry.gid));
  if (time !== undefined) add(time.nanoseconds > 0 || !fits(time.seconds, LARGE), "mtime", timeText(time));
  for (const [attribute, value] of [...(entry.xattrs ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))) {
    add(true, `SCHILY.xattr.${attribute}`, value);
  }
  return records;
}

function isPlain(text: Uint8Array): boolean {
  return text.length <= TEXT && text.every((byte) => byte < 0x80);
}

function fits(value: number, max: number): boolean {
  return value >= 0 && value <= max;
}

/** Decimal seconds; those before 1970 count backwards. */
function timeText({ seconds, nanoseconds }: Timespec): string {
  const negative = seconds < 0 && nanoseconds > 0;
  const whole = negative ? seconds + 1 : seconds;
  const fraction = String(negative ? 1e9 - nanoseconds : nanoseconds).padStart(9, "0");
  const sign = negative && whole === 0 ? "-" : "";
  return nanoseconds === 0 ? String(seconds) : `${sign}${whole}.${fraction}`.replace(/0+$/, "");
}

function extension(records: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(records);
  const header = block(
    { name: "PaxHeaders/0", type: "file", mode: 0o644, size: content.length },
    Buffer.from("PaxHeaders/0"),
    Buffer.of(),
  );
  header.write("x", 156);
  seal(header);
  return Buffer.concat([header, content, tarPadding(content.length)]);
}

/** A ustar header block (POSIX.1-2024 pax, "ustar Interchange Format"). Numbers that do not fit are 0 there, and in a record. */
function block(entry: NewEntry, name: Uint8Array, linkName: Uint8Array): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, digits: number) =>
    header.write((fits(value, 8 ** digits - 1) ? value : 0).toString(8).padStart(digits, "0"), at);
  header.set(name.subarray(0, TEXT), 0);
  octal(entry.mode & 0o7777, 100, 7);
  octal(entry.uid ?? 0, 108, 7);
  octal(entry.gid ?? 0, 116, 7);
  octal(entry.size ?? 0, 124, 11);
  octal(entry.modified?.seconds ?? 0, 136, 11);
  header.write(FLAGS[entry.type], 156);
  header.set(linkName.subarray(0, TEXT), 157);
  header.write("ustar\x0000", 257, "latin1");
  octal(entry.major ?? 0, 329, 7);
  octal(entry.minor ?? 0, 337, 7);
  seal(header);
  return header;
}

function seal(header: Buffer): void {
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}

/** Zeros that fill up content of `size` bytes to whole blocks. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}

/** What ends an archive: two blocks of zeros. */
export function tarEnd(): Uint8Array {
  return new Uint8Array(2 * BLOCK);
}
