import { BLOCK, checksumHolds, numberField, textField } from "./fields.ts";
import { malformed } from "./malformed.ts";

/** What a header block itself says, before extended headers have their say. */
export interface Header {
  readonly name: string;
  readonly linkName: string;
  /** The type's character; NUL is given as `0`. */
  readonly flag: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes that follow in the archive. */
  readonly size: number;
  readonly mtime: number;
  /** In seconds, where GNU's format has them. */
  readonly atime: number | undefined;
  readonly ctime: number | undefined;
  /** Of device nodes; else 0. */
  readonly major: number;
  readonly minor: number;
  readonly offset: number;
}

/** Reads a header block. `offset` is where it lies in the archive, for messages. */
export function parseHeader(block: Buffer, offset: number): Header {
  if (!checksumHolds(block)) throw malformed("wrong header checksum", offset);
  const magic = block.toString("latin1", 257, 265);
  const gnu = magic === "ustar  \0";
  const name = fullName(block, !gnu && magic.startsWith("ustar"));
  const number = (field: string, start: number, length: number) => {
    const value = numberField(block, start, length);
    if (value === undefined) throw malformed(`unreadable ${field}`, offset, name);
    return value;
  };
  const type = block[156] ?? 0;
  const device = (type === 0x33 || type === 0x34) && magic.startsWith("ustar");
  return {
    name,
    linkName: textField(block, 157, 100),
    flag: type === 0 ? "0" : String.fromCharCode(type),
    mode: number("mode", 100, 8),
    uid: number("user ID", 108, 8),
    gid: number("group ID", 116, 8),
    size: number("size", 124, 12),
    mtime: number("time", 136, 12),
    atime: gnu ? gnuTime(block, 345) : undefined,
    ctime: gnu ? gnuTime(block, 357) : undefined,
    major: device ? number("device number", 329, 8) : 0,
    minor: device ? number("device number", 337, 8) : 0,
    offset,
  };
}

/** GNU tar writes these into archives of its incremental backups alone; what cannot be read is taken for nothing. */
function gnuTime(block: Buffer, start: number): number | undefined {
  return block[start] === 0 ? undefined : numberField(block, start, 12);
}

/** POSIX continues long names in a prefix; star's own format has a shorter one, and GNU's has other things there. */
function fullName(block: Buffer, posix: boolean): string {
  const name = textField(block, 0, 100);
  if (!posix || block[345] === 0) return name;
  const star = block.toString("latin1", BLOCK - 4, BLOCK) === "tar\0";
  return `${textField(block, 345, star ? 131 : 155)}/${name}`;
}
