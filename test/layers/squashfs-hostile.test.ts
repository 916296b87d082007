/** Squashfs that lie: each is refused with what and where, and none makes Galley hang or fail in another way. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync, zstdCompressSync } from "node:zlib";
import { GalleyError } from "../../src/errors.ts";
import type { Section } from "../../src/image/layers/squashfs/section.ts";
import { squashfsMembers } from "../../src/image/layers/squashfs/squashfs-members.ts";
import { writeTar } from "../../src/image/layers/tar/write-tar.ts";
import { Expansion } from "../../src/image/verify/expansion.ts";
import { AT_FDCWD, mknodat, S } from "../../src/linux/sys/sys.ts";
import { Random } from "../fuzz/random.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { squashfsOf } from "../harness/squashfs.ts";
import { setAttribute } from "./kinds-of-files.ts";

const needs = { root: true, commands: ["mksquashfs"] };

let base: string;
let plain: Buffer;
let gzip: Buffer;
let zstd: Buffer;
let others: readonly Buffer[];
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "galley-squashfs-"));
  if (missing(needs) !== undefined) return;
  const tree = makeTree();
  plain = squashfsOf(tree, ["-b", "4096", "-noI", "-noD", "-noF", "-noX", "-noId"]);
  gzip = squashfsOf(tree, ["-b", "4096"]);
  zstd = squashfsOf(tree, ["-b", "4096", "-comp", "zstd"]);
  others = ["lz4", "lzo", "xz", "lzma"].map((name) => squashfsOf(tree, ["-b", "4096", "-comp", name]));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

function makeTree(): string {
  const tree = join(base, "tree");
  mkdirSync(join(tree, "dir/inner"), { recursive: true });
  writeFileSync(join(tree, "aaa"), "x".repeat(10_000));
  writeFileSync(join(tree, "bb"), "an end in a fragment");
  writeFileSync(join(tree, "cc"), "another end");
  linkSync(join(tree, "bb"), join(tree, "dir/hard"));
  symlinkSync("target", join(tree, "link"));
  setAttribute(tree, "cc", "user.name", "value");
  utimesSync(join(tree, "aaa"), 1, 1);
  return tree;
}

/** A file system in memory; outside of it there is nothing, as at the end of a file. */
function sectionOf(bytes: Buffer): Section {
  return {
    size: bytes.length,
    read(offset, length, what) {
      if (offset >= 0 && length >= 0 && offset + length <= bytes.length)
        return Buffer.from(bytes.subarray(offset, offset + length));
      throw new GalleyError("data_loss", `${what} lies beyond its end (at byte ${offset})`);
    },
  };
}

/** Reads all of it; gives the failure as it is shown. */
async function outcome(bytes: Buffer): Promise<string> {
  try {
    for await (const _ of writeTar(squashfsMembers(sectionOf(bytes)))) {
    }
  } catch (failure) {
    if (failure instanceof GalleyError) return `${failure.code}: ${failure.describe()}`;
    throw failure;
  }
  return "it was accepted";
}

/** The file system without compression, changed. */
async function changed(change: (image: Buffer) => void): Promise<string> {
  const image = Buffer.from(plain);
  change(image);
  return outcome(image);
}

/** Where a name's entry is in the directories, and the inode that it leads to. Both tables have one block, which is not compressed. */
function entryOf(image: Buffer, name: string): { readonly entry: number; readonly inode: number } {
  const entry = image.indexOf(name, Number(image.readBigUInt64LE(72))) - 8;
  return { entry, inode: Number(image.readBigUInt64LE(64)) + 2 + image.readUInt16LE(entry) };
}

// biome-ignore format: a table
const lies: readonly (readonly [string, (image: Buffer) => void, string])[] = [
  ["another beginning", (image) => image.write("nope", 0), "data_loss: damaged squashfs: it does not begin as one (at byte 0)"],
  ["an old version", (image) => image.writeUInt16LE(3, 28), "unimplemented: a squashfs of version 3.0 is not read"],
  ["blocks of no bytes", (image) => image.writeUInt32LE(0, 12), "blocks of 0 bytes"],
  ["blocks of another size than it says again", (image) => image.writeUInt16LE(13, 22), "blocks of 4096 bytes, which it says to be 2 to the power 13"],
  ["more bytes than there are", (image) => image.writeBigUInt64LE(1n << 40n, 40), "it says to take 1099511627776 bytes"],
  ["tables out of order", (image) => image.writeBigUInt64LE(1n, 72), "tables of inodes and directories are out of order"],
  ["tables far away", (image) => image.writeBigUInt64LE(0xffff_ffff_ffff_fff0n, 64), "out of order (at byte 64)"],
  ["billions of inodes", (image) => image.writeUInt32LE(0xffff_ffff, 4), "resource_exhausted: it has 4294967295 inodes"],
  ["fewer inodes than it has", (image) => image.writeUInt32LE(2, 4), "where there are 2"],
  ["a compressor that nobody knows", (image) => image.writeUInt16LE(99, 20), "unimplemented: the squashfs is compressed with compressor 99, which is not known"],
  ["a root that is nowhere", (image) => image.writeBigUInt64LE(0x7777_0000n, 32), "it reads on behind the table of inodes"],
  ["a root beyond its block", (image) => image.writeUInt16LE(8000, 32), "something in the table of inodes is said to be at 8000"],
  ["a table of owners that is nowhere", (image) => image.writeBigUInt64LE(1n << 62n, 48), "the table of owners lies beyond its end"],
  ["a table of attributes that is nowhere", (image) => image.writeBigUInt64LE(1n << 50n, 56), "the head of the attributes lies beyond its end"],
  ["a name with a slash", (image) => image.write("a/a", entryOf(image, "aaa").entry + 8), 'a file of the name "a/a", which no file can have'],
  ["a name of dots", (image) => image.write("..", entryOf(image, "bb").entry + 8), 'a file of the name ".."'],
  ["a name with a zero", (image) => image.write("b\0", entryOf(image, "bb").entry + 8), "which no file can have"],
  ["a name twice", (image) => image.write("bb", entryOf(image, "cc").entry + 8), 'the name "bb" is out of order in its directory, or there twice'],
  ["a name longer than its directory", (image) => image.writeUInt16LE(200, entryOf(image, "link").entry + 6), "data_loss"],
  ["a name of 60,000 bytes", (image) => image.writeUInt16LE(60_000, entryOf(image, "aaa").entry + 6), "a name of 60001 bytes"],
  ["a group without end", (image) => image.writeUInt32LE(0xffff_ffff, entryOf(image, "aaa").entry - 12), "a directory with a group of 4294967296 names"],
  ["another type in the directory", (image) => image.writeUInt16LE(3, entryOf(image, "aaa").entry + 4), '"aaa" is a file, and its directory says something else'],
  ["a directory in itself", directoryInItself, 'the directory "dir/inner" is in two places, or in itself'],
  ["an inode of no type", (image) => image.writeUInt16LE(15, entryOf(image, "aaa").inode), "is of the unknown type 15"],
  ["an owner that is not listed", (image) => image.writeUInt16LE(9, entryOf(image, "aaa").inode + 4), "number 9 in the table of owners, which has 1 entries"],
  ["a link to nothing", (image) => image.writeUInt32LE(0, entryOf(image, "link").inode + 20), "a symbolic link whose target has 0 bytes"],
  ["a link of a megabyte", (image) => image.writeUInt32LE(1 << 20, entryOf(image, "link").inode + 20), "a symbolic link whose target has 1048576 bytes"],
  ["a fragment that is not listed", (image) => image.writeUInt32LE(5, entryOf(image, "bb").inode + 44), "number 5 in the table of fragments"],
  ["an end beyond its fragment", (image) => image.writeUInt32LE(4000, entryOf(image, "bb").inode + 48), "is said to be at 4000 of fragment 0"],
  ["attributes that are not listed", (image) => image.writeUInt32LE(7, entryOf(image, "cc").inode + 52), "number 7 in the table of attributes"],
  ["a file of an exabyte", (image) => image.writeBigUInt64LE(1n << 60n, entryOf(image, "bb").inode + 24), "it unpacks to more than 1099511627776 bytes"],
  ["a file of four gigabytes", (image) => image.writeUInt32LE(0xffff_ffff, entryOf(image, "aaa").inode + 28), "resource_exhausted"],
  ["a block of more than there can be", (image) => image.writeUInt32LE(9000, entryOf(image, "aaa").inode + 32), "a block of 9000 bytes, where 4096 are most"],
  ["a block of fewer bytes", (image) => image.writeUInt32LE((1 << 24) | 100, entryOf(image, "aaa").inode + 32), "a block of 100 bytes where a file has 4096"],
  ["a block that is nowhere", (image) => image.writeUInt32LE(0xffff_0000, entryOf(image, "aaa").inode + 16), "a file's content lies beyond its end"],
  ["a block that is not compressed as it says", (image) => image.writeUInt32LE(4000, entryOf(image, "aaa").inode + 32), "a block of content cannot be unpacked"],
  ["a bomb in a block", bombInBlock, "a block of content cannot be unpacked"],
  ["metadata of no bytes", (image) => image.writeUInt16LE(0x8000, Number(image.readBigUInt64LE(64))), "a block of 0 bytes in the table of inodes"],
  ["metadata of too many bytes", (image) => image.writeUInt16LE(0xffff, Number(image.readBigUInt64LE(64))), "a block of 32767 bytes in the table of inodes"],
];

function directoryInItself(image: Buffer): void {
  const [outer, inner] = [entryOf(image, "dir"), entryOf(image, "inner")];
  image.writeUInt16LE(image.readUInt16LE(outer.entry), inner.entry);
}

/** Some bytes that inflate to megabytes, where a file has 4096. */
function bombInBlock(image: Buffer): void {
  const bomb = deflateSync(Buffer.alloc(1 << 21));
  expect(bomb.length).toBeLessThan(4096);
  bomb.copy(image, image.indexOf("xxxx"));
  image.writeUInt32LE(bomb.length, entryOf(image, "aaa").inode + 32);
}

describe("a squashfs is refused that has", () => {
  for (const [name, change, message] of lies)
    testWith(needs, name, async () => {
      expect(await changed(change)).toContain(message);
    });

  testWith(needs, "less than it had, at any length", async () => {
    expect(await outcome(plain)).toBe("it was accepted");
    for (let length = 0; length < plain.readUInt32LE(40); length += 97)
      expect(await outcome(plain.subarray(0, length))).toStartWith("data_loss: damaged squashfs");
  });

  testWith(needs, "zstd that unpacks to more than a block", async () => {
    const image = Buffer.from(zstd);
    const table = Number(image.readBigUInt64LE(64));
    const bomb = zstdCompressSync(Buffer.alloc(1 << 21));
    image.writeUInt16LE(bomb.length, table);
    bomb.copy(image, table + 2);
    expect(await outcome(image)).toContain("a block of the table of inodes cannot be unpacked");
  });
});

/** Changes a few bytes: anywhere, or among those that describe files. */
function mutated(image: Buffer, random: Random): Buffer {
  const copy = Buffer.from(image);
  const tables = Number(image.readBigUInt64LE(64));
  const interesting = [0, 1, 0x7f, 0x80, 0xff];
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const end = image.readUInt32LE(40);
    const at = random.chance(0.2) ? random.below(96) : tables + random.below(end - tables);
    copy[at] = random.chance(0.5) ? random.one(interesting) : random.below(256);
  }
  return random.chance(0.05) ? copy.subarray(0, random.below(copy.length)) : copy;
}

describe("what is read of a squashfs counts as what comes out of it", () => {
  const told = (directory: string, free: number): string => {
    const read = () => [...squashfsMembers(sectionOf(squashfsOf(directory)), new Expansion({ free, ratio: 0 }))].length;
    try {
      return `${read()} members`;
    } catch (failure) {
      return (failure as GalleyError).code;
    }
  };

  testWith(needs, "though it becomes no member: sockets, of which a list may be that of many directories", () => {
    const tree = join(base, "sockets");
    mkdirSync(tree);
    for (let index = 0; index < 50; index++) mknodat(AT_FDCWD, join(tree, `${index}`), S.IFSOCK | 0o600);
    expect([told(tree, 100_000), told(tree, 10_000)]).toEqual(["1 members", "resource_exhausted"]);
  });

  testWith(needs, "though it is not archived: overlayfs' attributes", () => {
    const tree = join(base, "attributes");
    mkdirSync(tree);
    for (let index = 0; index < 10; index++) {
      writeFileSync(join(tree, `${index}`), "");
      setAttribute(tree, `${index}`, "trusted.overlay.origin", "x".repeat(2000));
    }
    expect([told(tree, 100_000), told(tree, 10_000)]).toEqual(["11 members", "resource_exhausted"]);
  });
});

describe("a squashfs with random changes is read or refused", () => {
  const other = (random: Random) => random.one(others);
  for (const [name, image] of [
    ["plain", () => plain],
    ["gzip", () => gzip],
    ["zstd", () => zstd],
    ["lz4, lzo, xz and lzma", other],
  ] as const)
    testWith(
      needs,
      name,
      async () => {
        let refused = 0;
        for (let round = 0; round < 1500; round++) {
          const random = new Random(4711, round);
          const told = await outcome(mutated(image(random), random));
          if (told === "it was accepted") continue;
          refused++;
          expect(told).toMatch(/^(data_loss|resource_exhausted|unimplemented): /);
        }
        expect(refused).toBeGreaterThan(300);
      },
      60_000,
    );
});
