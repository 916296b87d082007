/** Files that are called SIF and lie: each is refused with what, where and what to do. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GalleyError } from "../../src/errors.ts";
import { SifSource } from "../../src/image/transports/sif/sif-source.ts";
import { AT_FDCWD, mknodat, S } from "../../src/linux/sys/sys.ts";
import { Random } from "../fuzz/random.ts";
import { testWith } from "../harness/requirements.ts";
import { type SifOptions, type SifPart, sif } from "../harness/sif.ts";
import { squashfsOf } from "../harness/squashfs.ts";

let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "galley-sif-"));
  mkdirSync(join(base, "scratch"));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** Opens a file and asks for its image; gives the failure as it is shown. Nothing may remain of it. */
async function outcome(path: string): Promise<string> {
  try {
    const source = SifSource.open(path, { scratch: join(base, "scratch") });
    try {
      await source.document();
    } finally {
      await source.close();
    }
  } catch (failure) {
    if (failure instanceof GalleyError) return failure.describe();
    throw failure;
  } finally {
    expect(readdirSync(join(base, "scratch"))).toEqual([]);
  }
  return "it was accepted";
}

async function outcomeOf(bytes: Uint8Array): Promise<string> {
  const path = join(base, "image.sif");
  writeFileSync(path, bytes);
  return outcome(path);
}

const partition = { type: 0x4004, content: "no squashfs, and long enough to be looked at: ".repeat(10) };
const spoilt = (change: (file: Buffer) => void): SifOptions => ({ spoil: change });

// biome-ignore format: a table
const files: readonly (readonly [string, readonly SifPart[], SifOptions, string])[] = [
  ["with another magic", [], spoilt((file) => file.write("SIF_MAGIX", 32)), "invalid SIF magic"],
  ["of another version", [], spoilt((file) => file.write("02", 42)), "incompatible SIF version"],
  ["of a time before 1970", [], { modified: -1n }, "it was changed at second -1, which is no time"],
  ["of a time after all years", [], { modified: 1n << 60n }, "which is no time"],
  ["with fewer descriptors than none", [], spoilt((file) => file.writeBigInt64LE(-1n, 88)), "it says to have -1 descriptors"],
  ["with many descriptors", [], spoilt((file) => file.writeBigInt64LE(1n << 40n, 88)), "it says to have 1099511627776 descriptors"],
  ["with descriptors outside of it", [], spoilt((file) => file.writeBigInt64LE(1n << 40n, 96)), "its 48 descriptors do not fit"],
  ["with descriptors in less room", [], spoilt((file) => file.writeBigInt64LE(585n, 104)), "its 48 descriptors do not fit into 585 bytes"],
  ["of nothing", [], {}, "looking up rootfs from SIF file: object not found (it has no primary partition: it is no container)"],
  ["of an image layout", [{ type: 0x400a, content: "{}" }], {}, "object not found (it is an OCI-SIF"],
  ["of data alone", [{ ...partition, partition: 3 }], {}, "object not found"],
  ["of two primary partitions", [partition, partition], {}, "multiple objects found"],
  ["of ext3", [{ ...partition, fileSystem: 2 }], {}, "its primary partition is ext3, and only squashfs is read"],
  ["of an encrypted partition", [{ ...partition, fileSystem: 5 }], {}, "its primary partition is encrypted squashfs"],
  ["of a partition of no kind", [{ ...partition, fileSystem: -7 }], {}, "its primary partition is unknown"],
  ["of a partition outside of it", [{ ...partition, offset: 1n << 50n }], {}, "its descriptor 0 is of 460 bytes at 1125899906842624"],
  ["of a partition before it", [{ ...partition, offset: -1n }], {}, "its descriptor 0 is of 460 bytes at -1"],
  ["of a partition larger than it", [{ ...partition, size: 1n << 50n }], {}, "its descriptor 0 is of 1125899906842624 bytes"],
  ["of a partition that is no squashfs", [partition], {}, "damaged squashfs: it does not begin as one (at byte 0)"],
  ["of an empty partition", [{ ...partition, content: "" }], {}, "damaged squashfs: it is too short to be one"],
  ["of an endless definition", [{ type: 0x4001, content: "x".repeat(2 << 20) }, partition], {}, "its definition file has 2097152 bytes, and 1048576 are read"],
];

describe("a SIF is refused", () => {
  for (const [name, parts, options, message] of files)
    test(name, async () => {
      expect(await outcomeOf(sif(parts, options))).toContain(message);
    });

  test("that is cut short anywhere in its header or descriptors", async () => {
    const whole = sif([partition]);
    for (const length of [0, 1, 44, 127, 128, 4096, 4097, 30_000])
      expect(await outcomeOf(whole.subarray(0, length))).toMatch(
        /it has \d+ bytes, less than a header|do not fit|descriptor 0/,
      );
  });

  test("that is no file, or not there", async () => {
    mkdirSync(join(base, "directory"));
    mknodat(AT_FDCWD, join(base, "fifo"), S.IFIFO | 0o600);
    const subject = (name: string) => `load SIF file ${join(base, name)}: `;
    expect(await outcome(join(base, "directory"))).toBe(`${subject("directory")}it is not a regular file`);
    expect(await outcome(join(base, "fifo"))).toBe(`${subject("fifo")}it is not a regular file`);
    expect(await outcome(join(base, "nothing"))).toContain(`${subject("nothing")}ENOENT`);
  });

  testWith({ commands: ["mksquashfs"] }, "whose script would have to replace a file", async () => {
    const tree = join(base, "tree");
    mkdirSync(tree);
    writeFileSync(join(tree, "podman"), "a file");
    const content = squashfsOf(tree);
    const definition = { type: 0x4001, content: "%runscript\ntrue\n" };
    expect(await outcomeOf(sif([definition, { type: 0x4004, content }]))).toContain("and /podman is a file there");
    expect(await outcomeOf(sif([{ type: 0x4004, content }]))).toBe("it was accepted");
  });

  testWith({ commands: ["mksquashfs"] }, "or read, with random changes of its header and descriptors", async () => {
    const whole = sif([
      { type: 0x4001, content: "%environment\nA=b\n" },
      { type: 0x4004, content: squashfsOf(import.meta.dir) },
    ]);
    for (let round = 0; round < 300; round++) {
      const [random, copy] = [new Random(815, round), Buffer.from(whole)];
      for (let changes = 0; changes < 3; changes++)
        copy[random.chance(0.5) ? random.below(128) : 4096 + random.below(1170)] = random.below(256);
      expect(typeof (await outcomeOf(copy))).toBe("string");
    }
  });
});
