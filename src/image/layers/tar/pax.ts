/** Extended header records (POSIX.1-2024 pax, "pax Extended Header"; keywords of GNU tar, star and libarchive). */
import { decodeName, type Timespec } from "../../../linux/sys/sys.ts";
import { malformed } from "./malformed.ts";

export interface PaxRecords {
  /** Values by keyword; an empty one takes back what was said before. */
  readonly values: Map<string, string>;
  readonly xattrs: Map<string, Uint8Array>;
  /** GNU.sparse.offset and .numbytes of sparse format 0.0, which occur many times, in turn. */
  readonly sparse: number[];
}

export function noRecords(): PaxRecords {
  return { values: new Map(), xattrs: new Map(), sparse: [] };
}

/** Global records with those of one entry over them. */
export function overlaid(below: PaxRecords, above: PaxRecords): PaxRecords {
  return {
    values: new Map([...below.values, ...above.values]),
    xattrs: new Map([...below.xattrs, ...above.xattrs]),
    sparse: above.sparse,
  };
}

/** Keywords whose values are paths. */
const NAMES = new Set(["path", "linkpath", "GNU.sparse.name"]);
const SCHILY = "SCHILY.xattr.";
const LIBARCHIVE = "LIBARCHIVE.xattr.";

/** Adds the records of an extended header's content: `LENGTH KEYWORD=VALUE\n` each, the length counting all of itself. */
export function parsePax(content: Buffer, into: PaxRecords, offset: number): void {
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const digits = space < 0 || space - at > 10 ? "" : content.toString("latin1", at, space);
    const end = at + (/^\d+$/.test(digits) ? Number(digits) : 0);
    const equals = content.indexOf(0x3d, space);
    const fits = end <= content.length && equals > space + 1 && equals < end && content[end - 1] === 0x0a;
    if (!fits) throw malformed("unreadable PAX record", offset);
    add(into, decodeName(content.subarray(space + 1, equals)), content.subarray(equals + 1, end - 1), offset);
    at = end;
  }
}

function add(into: PaxRecords, keyword: string, value: Buffer, offset: number): void {
  if (keyword.startsWith(SCHILY)) {
    into.xattrs.set(keyword.slice(SCHILY.length), Uint8Array.from(value));
  } else if (keyword.startsWith(LIBARCHIVE)) {
    const name = unescaped(keyword.slice(LIBARCHIVE.length), offset);
    if (!into.xattrs.has(name)) into.xattrs.set(name, Uint8Array.from(Buffer.from(value.toString("latin1"), "base64")));
  } else if (keyword === "GNU.sparse.offset" || keyword === "GNU.sparse.numbytes") {
    addSparse(into.sparse, keyword, decodeName(value), offset);
  } else {
    if (NAMES.has(keyword) && value.includes(0)) throw malformed(`NUL in PAX record ${keyword}`, offset);
    into.values.set(keyword, decodeName(value));
  }
}

function addSparse(sparse: number[], keyword: string, value: string, offset: number): void {
  const turn = sparse.length % 2 === 0 ? "GNU.sparse.offset" : "GNU.sparse.numbytes";
  if (keyword !== turn) throw malformed("sparse map out of order", offset);
  sparse.push(wholeNumber(value, keyword, offset));
}

function unescaped(name: string, offset: number): string {
  try {
    return decodeURIComponent(name);
  } catch {
    throw malformed("unreadable attribute name in PAX record", offset);
  }
}

/** A value that must be a number, 0 or more. */
export function wholeNumber(text: string, keyword: string, offset: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw malformed(`unreadable ${keyword} in PAX record`, offset);
  return value;
}

/** Seconds with a fraction, to the nanosecond below: `-1.5` is half a second after -2. */
export function paxTime(text: string, keyword: string, offset: number): Timespec {
  const [, sign, whole = "", fraction = ""] = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text) ?? [];
  if (sign === undefined) throw malformed(`unreadable ${keyword} in PAX record`, offset);
  const seconds = Number(whole);
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, "0"));
  if (sign === "") return { seconds, nanoseconds };
  return nanoseconds === 0
    ? { seconds: -seconds, nanoseconds }
    : { seconds: -seconds - 1, nanoseconds: 1e9 - nanoseconds };
}
