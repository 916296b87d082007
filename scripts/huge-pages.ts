import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

/** mimalloc's option, by whose default of 0 Bun's heap is spread over small pages. */
const OPTION = "\0allow_thp\0";

/**
 * Has the program's allocator ask the kernel for huge pages (madvise(2), MADV_HUGEPAGE), which it does where its option allow_thp is set. A
 * command touches some eight megabytes of heap for the first time; of a page each that is two thousand faults, which is most of what a start
 * takes on a virtual machine. The allocator reads its options before any of our code runs, from the environment or from this table.
 *
 * @param path an ELF executable of 64 bits, little-endian, that is not relocated (elf(5)); its options are as their authors wrote them, or this throws
 */
export function allowHugePages(path: string): void {
  const program = readFileSync(path);
  const name = once(program, Buffer.from(OPTION)) + 1;
  const pointer = Buffer.alloc(8);
  pointer.writeBigUInt64LE(addressOf(program, name));
  // struct mi_option_desc_s { long value; mi_init_t init; mi_option_t option; const char* name; … }: the value is not read from anywhere yet.
  const value = once(program, pointer) - 16;
  if (program.readBigInt64LE(value) !== 0n || program.readInt32LE(value + 8) !== 0) throw unknown(path);
  const fd = openSync(path, "r+");
  try {
    writeSync(fd, Buffer.of(1), 0, 1, value);
  } finally {
    closeSync(fd);
  }
}

function once(program: Buffer, bytes: Buffer): number {
  const at = program.indexOf(bytes);
  if (at < 0 || program.indexOf(bytes, at + 1) >= 0) throw unknown(`${bytes.length} bytes`);
  return at;
}

/** Where a place of the file is in memory: in one of the segments that are loaded (PT_LOAD). */
function addressOf(program: Buffer, offset: number): bigint {
  const [first, size, count] = [
    Number(program.readBigUInt64LE(32)),
    program.readUInt16LE(54),
    program.readUInt16LE(56),
  ];
  for (let at = first; at < first + size * count; at += size) {
    const [begin, length] = [Number(program.readBigUInt64LE(at + 8)), Number(program.readBigUInt64LE(at + 32))];
    if (program.readUInt32LE(at) === 1 && begin <= offset && offset < begin + length)
      return program.readBigUInt64LE(at + 16) + BigInt(offset - begin);
  }
  throw unknown(`offset ${offset}`);
}

function unknown(what: string): Error {
  return new Error(`the allocator's options are not where they were in the Bun that is pinned: ${what}`);
}
