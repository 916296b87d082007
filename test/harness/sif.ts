/** Writes files in the Singularity Image Format, well-formed and lying: nothing about a part is checked (sylabs/sif, pkg/sif). */

/** One thing in a file. */
export interface SifPart {
  /** 0x4001 a definition file, 0x4004 a partition, 0x400a an OCI index. */
  readonly type: number;
  readonly content: Uint8Array | string;
  /** Of partitions: 1 squashfs, 2 ext3, 5 encrypted; and 1 system, 2 primary system, 3 data. Default: primary squashfs. */
  readonly fileSystem?: number;
  readonly partition?: number;
  /** What the descriptor claims. */
  readonly offset?: bigint;
  readonly size?: bigint;
}

/** What the header says, and what is done to the file. */
export interface SifOptions {
  /** The two digits of the header; default: amd64's. */
  readonly architecture?: string;
  /** Seconds. */
  readonly modified?: bigint;
  /** Changes the finished file. */
  readonly spoil?: (file: Buffer) => void;
}

const HEADER = 128;
const DESCRIPTOR = 585;
const ROOM = 4096 + 48 * DESCRIPTOR;

/** A file of these parts, with room for 48 descriptors, as singularity makes it. */
export function sif(parts: readonly SifPart[], options: SifOptions = {}): Buffer {
  const contents = parts.map(({ content }) => Buffer.from(content as Uint8Array));
  const offsets = contents.map((_, index) =>
    contents.slice(0, index).reduce((at, { length }) => aligned(at + length), aligned(ROOM)),
  );
  const end = contents.reduce((at, { length }, index) => Math.max(at, (offsets[index] ?? 0) + length), ROOM);
  const file = Buffer.alloc(end);
  writeHeader(file, parts.length, options);
  for (const [index, part] of parts.entries()) {
    const content = contents[index] ?? Buffer.of();
    const offset = offsets[index] ?? 0;
    content.copy(file, offset);
    writeDescriptor(file.subarray(4096 + index * DESCRIPTOR), part, { index, offset, size: content.length });
  }
  options.spoil?.(file);
  return file;
}

function aligned(at: number): number {
  return Math.ceil(at / 4096) * 4096;
}

function writeHeader(
  file: Buffer,
  count: number,
  { architecture = "02", modified = 1_600_000_000n }: SifOptions,
): void {
  file.write("#!/usr/bin/env run-singularity\n", 0);
  file.write("SIF_MAGIC\0", 32, "latin1");
  file.write("01\0", 42, "latin1");
  file.write(`${architecture}\0`, 45, "latin1");
  file.set(
    Array.from({ length: 16 }, (_, at) => at),
    48,
  );
  const numbers = [modified, modified, BigInt(48 - count), 48n, 4096n, BigInt(48 * DESCRIPTOR), BigInt(aligned(ROOM))];
  for (const [index, number] of numbers.entries()) file.writeBigInt64LE(number, 64 + 8 * index);
  file.writeBigInt64LE(BigInt(file.length - aligned(ROOM)), HEADER - 8);
}

function writeDescriptor(
  to: Buffer,
  part: SifPart,
  at: { readonly index: number; readonly offset: number; readonly size: number },
): void {
  to.writeInt32LE(part.type, 0);
  to[4] = 1;
  to.writeUInt32LE(at.index + 1, 5);
  to.writeUInt32LE(0xf0000001, 9);
  to.writeBigInt64LE(part.offset ?? BigInt(at.offset), 17);
  to.writeBigInt64LE(part.size ?? BigInt(at.size), 25);
  to.writeBigInt64LE(part.size ?? BigInt(at.size), 33);
  if (part.type !== 0x4004) return;
  to.writeInt32LE(part.fileSystem ?? 1, 201);
  to.writeInt32LE(part.partition ?? 2, 205);
  to.write("02\0", 209, "latin1");
}
