import type { Timespec } from "../../../linux/sys/sys.ts";
import type { Segment, TarEntry, TarType } from "./entry.ts";
import type { Header } from "./header.ts";
import { malformed, shown } from "./malformed.ts";
import { type PaxRecords, paxTime, wholeNumber } from "./pax.ts";

/** What the long-name entries before a header said, in GNU's format. */
export interface LongNames {
  readonly name: string | undefined;
  readonly linkName: string | undefined;
}

const TYPES: Readonly<Record<string, TarType>> = {
  "0": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "char",
  "4": "block",
  "5": "directory",
  "6": "fifo",
  "7": "file",
  D: "directory",
  S: "file",
};

/** (uid_t)-1 means "leave it as it is" to chown(2), so it is no owner. */
const ID_MAX = 0xfffffffe;

/** An entry's own view of its content: how much of it is in the archive, and how much the file has. */
export interface Content {
  readonly stored: number;
  readonly size: number;
  readonly segments: readonly Segment[] | undefined;
  /** Where it begins in the archive. */
  readonly start: number;
}

/** Type of a header's entry. Old archives mark a directory by a slash alone. */
export function typeOf(header: Header, name: string): TarType {
  const type = TYPES[header.flag];
  if (type === undefined) throw malformed(`entry of unknown type ${shown(header.flag)}`, header.offset, name);
  return header.flag === "0" && name.endsWith("/") && header.size === 0 ? "directory" : type;
}

/** Name of an entry: GNU's long name, else the PAX record, else the header's. */
export function nameOf(header: Header, records: PaxRecords | undefined, long: LongNames): string {
  return long.name ?? (text(records, "GNU.sparse.name") || text(records, "path") || header.name);
}

/** Bytes of the entry that follow its header in the archive; whatever the header says, only files have any. */
export function storedSize(header: Header, type: TarType, records: PaxRecords | undefined, name: string): number {
  if (type !== "file" && header.flag !== "D") return 0;
  const value = text(records, "size");
  const size = value === "" ? header.size : wholeNumber(value, "size", header.offset);
  if (size < 0) throw malformed("negative size", header.offset, name);
  return size;
}

/** The entry that a header and all that extends it describe. */
export function buildEntry(
  header: Header,
  type: TarType,
  name: string,
  records: PaxRecords | undefined,
  long: LongNames,
  content: Content,
): TarEntry {
  const linked = type === "hardlink" || type === "symlink";
  return {
    name,
    type,
    linkName: linked ? (long.linkName ?? (text(records, "linkpath") || header.linkName)) : "",
    mode: header.mode & 0o7777,
    rawMode: header.mode,
    uid: id(records, "uid", header.uid, header, name),
    gid: id(records, "gid", header.gid, header, name),
    size: type === "file" ? content.size : 0,
    modified: time(records, "mtime", header) ?? { seconds: header.mtime, nanoseconds: 0 },
    accessed: time(records, "atime", header) ?? seconds(header.atime),
    changed: time(records, "ctime", header) ?? seconds(header.ctime),
    major: deviceNumber(records, "SCHILY.devmajor", header.major, header, name),
    minor: deviceNumber(records, "SCHILY.devminor", header.minor, header, name),
    xattrs: records === undefined || records.xattrs.size === 0 ? undefined : records.xattrs,
    segments: content.segments,
    offset: header.offset,
    content: content.start,
  };
}

/** A record's value, empty where there is none: to POSIX the two are the same. */
export function text(records: PaxRecords | undefined, keyword: string): string {
  return records?.values.get(keyword) ?? "";
}

function id(records: PaxRecords | undefined, keyword: string, field: number, header: Header, name: string): number {
  const value = text(records, keyword);
  const number = value === "" ? field : wholeNumber(value, keyword, header.offset);
  if (number < 0 || number > ID_MAX) throw malformed(`${keyword} out of range`, header.offset, name);
  return number;
}

function deviceNumber(
  records: PaxRecords | undefined,
  keyword: string,
  field: number,
  header: Header,
  name: string,
): number {
  const value = text(records, keyword);
  const number = value === "" ? field : wholeNumber(value, keyword, header.offset);
  if (number < 0 || number > 0xffffffff) throw malformed("device number out of range", header.offset, name);
  return number;
}

function seconds(time: number | undefined): Timespec | undefined {
  return time === undefined ? undefined : { seconds: time, nanoseconds: 0 };
}

function time(records: PaxRecords | undefined, keyword: string, header: Header): Timespec | undefined {
  const value = text(records, keyword);
  return value === "" ? undefined : paxTime(value, keyword, header.offset);
}
