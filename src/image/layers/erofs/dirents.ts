import { encodeName } from "../../../linux/sys/sys.ts";
import { BLOCK, DIRENT, FILE_TYPE, nid } from "./format.ts";
import type { DirectoryNode, Node } from "./node.ts";

/** One name of a directory. */
interface Name {
  readonly text: string;
  /** Its bytes where it is not plain ASCII. */
  readonly bytes: Uint8Array | undefined;
  readonly length: number;
  readonly node: Node;
}

/** A directory's names in the order of their bytes, `.` and `..` among them, divided into blocks. */
export interface Dirents {
  readonly names: readonly Name[];
  /** Number of the first name of each block, and at the end of all names. */
  readonly starts: readonly number[];
  /** Bytes of all: whole blocks, and what is used of the last. */
  readonly size: number;
}

/** Divides a directory's names into blocks; none crosses a block's end, and each block has its own table. */
export function direntsOf(directory: DirectoryNode): Dirents {
  const names = sorted(directory);
  const starts = [0];
  let used = 0;
  for (const [index, { length }] of names.entries()) {
    if (used + DIRENT + length > BLOCK) {
      starts.push(index);
      used = 0;
    }
    used += DIRENT + length;
  }
  return { names, starts: [...starts, names.length], size: (starts.length - 1) * BLOCK + used };
}

function sorted(directory: DirectoryNode): readonly Name[] {
  const names = [nameOf(".", directory), nameOf("..", directory.parent)];
  let plain = true;
  for (const [text, node] of directory.names) {
    const name = nameOf(text, node);
    if (name.bytes !== undefined) plain = false;
    names.push(name);
  }
  if (plain) return names.sort((a, b) => (a.text < b.text ? -1 : 1));
  return names.sort((a, b) => Buffer.compare(bytesOf(a), bytesOf(b)));
}

function nameOf(text: string, node: Node): Name {
  if (isAscii(text)) return { text, bytes: undefined, length: text.length, node };
  const bytes = encodeName(text);
  return { text, bytes, length: bytes.length, node };
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

function bytesOf({ text, bytes }: Name): Uint8Array {
  return bytes ?? Buffer.from(text, "latin1");
}

/** Writes one block: the table of numbers, places and types, then the names. The buffer is zeros. */
export function writeDirentBlock(into: Buffer, { names, starts }: Dirents, block: number): void {
  const first = starts[block] ?? 0;
  const end = starts[block + 1] ?? 0;
  let nameAt = (end - first) * DIRENT;
  for (let index = first, at = 0; index < end; index++, at += DIRENT) {
    const name = names[index];
    if (name === undefined) return;
    const number = nid(name.node.at);
    into.writeUInt32LE(number >>> 0, at);
    into.writeUInt32LE(Math.floor(number / 2 ** 32), at + 4);
    into.writeUInt16LE(nameAt, at + 8);
    into[at + 10] = FILE_TYPE[name.node.kind];
    if (name.bytes === undefined) into.write(name.text, nameAt, name.length, "latin1");
    else into.set(name.bytes, nameAt);
    nameAt += name.length;
  }
}
