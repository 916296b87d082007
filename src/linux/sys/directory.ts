import { syscall } from "./call.ts";
import { SYS } from "./flags.ts";
import { addressOf, libc } from "./libc.ts";
import type { FileType } from "./stat.ts";
import { decodeName } from "./text.ts";

export interface DirectoryEntry {
  readonly name: string;
  /** `undefined` where the file system does not tell. */
  readonly type: FileType | undefined;
}

const SIZE = 32768;
let buffer: { readonly bytes: Uint8Array; readonly view: DataView; readonly address: number } | undefined;

/**
 * All entries of an open directory but `.` and `..`, in no order. Reads from the beginning, whatever was read before.
 * Not an iterator: entries may be removed while the result is used.
 */
export function readDirectory(fd: number): readonly DirectoryEntry[] {
  buffer ??= makeBuffer();
  libc().lseek(fd, 0, 0);
  const entries: DirectoryEntry[] = [];
  for (;;) {
    const length = syscall("getdents64", SYS.getdents64, fd, buffer.address, SIZE);
    if (length === 0) return entries;
    parse(buffer.bytes, buffer.view, length, entries);
  }
}

function makeBuffer() {
  const bytes = new Uint8Array(SIZE);
  return { bytes, view: new DataView(bytes.buffer), address: addressOf(bytes) };
}

/** struct linux_dirent64 (getdents64(2)): inode u64, offset i64, length u16, type u8, NUL-terminated name. */
function parse(bytes: Uint8Array, view: DataView, length: number, entries: DirectoryEntry[]): void {
  for (let at = 0; at < length; at += view.getUint16(at + 16, true)) {
    const name = decodeName(bytes.subarray(at + 19, bytes.indexOf(0, at + 19)));
    if (name !== "." && name !== "..") entries.push({ name, type: typeOf(bytes[at + 18] ?? 0) });
  }
}

/** DT_* (dirent.h) are the type bits of a mode, shifted. */
function typeOf(type: number): FileType | undefined {
  switch (type) {
    case 1:
      return "fifo";
    case 2:
      return "char";
    case 4:
      return "directory";
    case 6:
      return "block";
    case 8:
      return "file";
    case 10:
      return "symlink";
    case 12:
      return "socket";
    default:
      return undefined;
  }
}
