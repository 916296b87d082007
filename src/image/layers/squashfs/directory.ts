import { decodeName } from "../../../linux/sys/sys.ts";
import { shown } from "../tar/malformed.ts";
import { damaged } from "./fault.ts";
import { type Inode, typeName } from "./inode.ts";
import type { Cursor } from "./metadata.ts";
import type { Place } from "./superblock.ts";

/** A name in a directory. */
export interface Name {
  /** Text as `decodeName` makes it. */
  readonly name: string;
  readonly type: Inode["type"] | undefined;
  readonly inode: Place;
}

/** Names of one group, which share the block of their inodes. */
const GROUP_MAX = 256;
/** Bytes of a name, as the format has it; file systems take 255. */
const NAME_MAX = 256;

/** The names of a directory, whose list has so many bytes. They are in order, so that none can be there twice. */
export function* namesIn(list: Cursor, size: number): Generator<Name> {
  let before: Buffer | undefined;
  for (let left = size; left > 0; ) {
    const head = list.take(12);
    const count = head.readUInt32LE(0) + 1;
    if (count > GROUP_MAX) throw damaged(`a directory with a group of ${count} names`);
    left -= head.length;
    for (let index = 0; index < count; index++) {
      const [entry, name] = takeName(list);
      left -= entry.length + name.length;
      if (left < 0) throw damaged("a directory whose names take more room than it has");
      checkName(name, before);
      before = name;
      const inode = { block: head.readUInt32LE(4), offset: entry.readUInt16LE(0) };
      yield { name: decodeName(name), type: typeName(entry.readUInt16LE(4)), inode };
    }
  }
}

function takeName(list: Cursor): readonly [entry: Buffer, name: Buffer] {
  const entry = list.take(8);
  const length = entry.readUInt16LE(6) + 1;
  if (length > NAME_MAX) throw damaged(`a name of ${length} bytes`);
  return [entry, list.take(length)];
}

function checkName(name: Buffer, before: Buffer | undefined): void {
  const dots = name.length < 3 && name.every((byte) => byte === 0x2e);
  if (dots || name.includes(0x2f) || name.includes(0))
    throw damaged(`a file of the name ${shown(decodeName(name))}, which no file can have`);
  if (before !== undefined && Buffer.compare(before, name) >= 0)
    throw damaged(`the name ${shown(decodeName(name))} is out of order in its directory, or there twice`);
}
