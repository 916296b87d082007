/** Layers shown by an index are the layers that are unpacked, whatever is in them. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyLayer } from "../../src/image/layers/apply/apply-layer.ts";
import { LayerTree } from "../../src/image/layers/erofs/layer-tree.ts";
import { TarParser } from "../../src/image/layers/tar/parser.ts";
import { archive, header, pax, record } from "../../src/image/layers/tar/test-blocks.ts";
import { streamOf } from "../../src/image/snapshot/snapshotter-suite.ts";
import { indexInto, mountIndexed } from "./indexed.ts";
import { describeTree, type Inode } from "./tree.ts";

let base: string;
let count = 0;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "galley-indexed-"));
});
afterAll(() => rmSync(base, { recursive: true }));

function directory(): string {
  const path = join(base, String(count++));
  mkdirSync(path);
  return path;
}

/** Both ways to keep a layer: what came of it, and every inode. A directory that no entry describes has a time of its own. */
async function inBothWays(bytes: Uint8Array): Promise<readonly (readonly [unknown, readonly Inode[]])[]> {
  const [unpacked, indexed] = [directory(), directory()];
  const outcome = (failure: unknown): string => String((failure as { code?: unknown }).code);
  const one = await applyLayer(unpacked, streamOf(bytes, undefined, 65_536)).catch(outcome);
  const two = await indexInto(indexed, streamOf(bytes, undefined, 65_536)).catch(outcome);
  if (typeof one === "string" || typeof two === "string") return [[one, []], [two, []]]; // biome-ignore format: a pair
  const { tarBytes: _, ...totals } = two;
  using mounted = mountIndexed(indexed);
  // Marks that went with their directories count in the one, not in the other.
  if (one.opaque !== "root" && totals.opaque !== "root") Object.assign(totals, { opaque: one.opaque });
  return [
    [one, withoutMadeTimes(describeTree(unpacked))],
    [totals, withoutMadeTimes(describeTree(mounted.path))],
  ];
}

function withoutMadeTimes(inodes: readonly Inode[]): readonly Inode[] {
  const now = Date.now() / 1000;
  return inodes.map((inode) => {
    const seconds = Number(inode.modified);
    const made = (inode.type === "directory" || inode.type === "char") && (seconds === 0 || now - seconds < 3600);
    return made ? { ...inode, modified: "made" } : inode;
  });
}

/** A generator of numbers below `max`, the same for the same seed (mulberry32). */
function randomOf(seed: number): (max: number) => number {
  let state = seed;
  return (max) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % max;
  };
}

/** Whether nothing of it is refused. */
function isAccepted(parts: readonly Uint8Array[]): boolean {
  const parser = new TarParser(new LayerTree());
  try {
    parser.push(archive(...parts));
    parser.finish();
    return true;
  } catch {
    return false;
  }
}

/**
 * Entries over few names, so that they meet: links on the way, removals, directories that become files. One archive in five may have
 * an entry that is to be refused.
 */
function randomArchive(seed: number): Buffer {
  const random = randomOf(seed);
  const pick = <T>(all: readonly T[]): T => all[random(all.length)] as T;
  const names = ["a", "b", "c", "d\u00e9", "n".repeat(90)];
  const name = () => Array.from({ length: 1 + random(3) }, () => pick([...names, ".", "x/.."])).join("/");
  const parts: Uint8Array[] = [];
  for (let left = 5 + random(60); left > 0; left--) {
    const path = pick(["", "", "/", "./"]) + name();
    const common = {
      name: path,
      mode: random(0o10000),
      uid: random(70_000),
      gid: random(9),
      mtime: 10_000_000 + random(10),
    };
    const flag = pick(["0", "0", "0", "1", "1", "2", "3", "4", "5", "5", "5", "6", "w", "o"]);
    const before = parts.length;
    if (random(4) === 0)
      parts.push(pax(record(`SCHILY.xattr.user.${pick(names)}`, pick(["", "v", "long".repeat(99)]))));
    const text = "x".repeat(random(3) * 511);
    if (flag === "0") parts.push(header({ ...common, size: text.length }, text));
    else if (flag === "w") parts.push(header({ ...common, name: `${pick(["a/", ""])}.wh.${pick(names)}` }));
    else if (flag === "o") parts.push(header({ ...common, name: `${pick(["a/", "b/", "b/c/"])}.wh..wh..opq` }));
    else if (flag === "1" || flag === "2")
      parts.push(header({ ...common, flag, linkName: pick([name(), `/${name()}`, "../a"]) }));
    else parts.push(header({ ...common, flag, major: random(9), minor: random(999_999) }));
    if (seed % 5 > 0 && !isAccepted(parts)) parts.splice(before);
  }
  return archive(...parts);
}

test.each([...Array(150).keys()])("generated layers, with seed %d", async (seed) => {
  const [unpacked, indexed] = await inBothWays(randomArchive(seed));
  expect(indexed).toEqual(unpacked as never);
});

const file = (name: string, text = "") => header({ name, size: text.length, mtime: 10_000_000 }, text);

describe("what has its own form in an index", () => {
  const many = (of: number, length: number) =>
    Array.from({ length: of }, (_, i) => file(`d/${String((i * 7919) % of).padStart(length, "n")}`, String(i)));
  const named = (path: string) => Buffer.concat([pax(record("path", path)), file("f", path)]);
  const sparse = (name: string, size: number, places: readonly (readonly [number, number])[]) => {
    const stored = places.reduce((sum, [, length]) => sum + length, 0);
    return Buffer.concat([
      header.sparse({ name, size: stored, mtime: 10_000_000 }, size, places),
      Buffer.alloc(Math.ceil(stored / 512) * 512).fill("abcdefg", 0, stored),
    ]);
  };
  const cases: readonly (readonly [string, readonly Uint8Array[]])[] = [
    ["nothing", []],
    ["a directory of many blocks", many(3000, 20)],
    ["names as long as they may be", [...Array(40).keys()].map((i) => named(`d/${String(i).padStart(255, "n")}`))],
    [
      "names in the order of bytes, not of characters",
      ["\uffff", "\u{10000}", "é", "z", "-", "!", "~"].map((name) => file(name)),
    ],
    [
      "links of every length",
      [...Array(70).keys()]
        .map((i) => pax(record("linkpath", "l".repeat(1 + i * 58)), record("path", `l${i}`)))
        .map((part) => Buffer.concat([part, header({ name: "l", flag: "2", linkName: "x", mtime: 10_000_000 })])),
    ],
    [
      "times before 1970 and far away",
      [-1, -1.5, 0.000000001, 2 ** 31, 2 ** 33 + 0.5].map((time, i) =>
        Buffer.concat([pax(record("mtime", String(time.toFixed(9)))), file(`t${i}`)]),
      ),
    ],
    ["owners of 32 bits", [Buffer.concat([pax(record("uid", "4294967294"), record("gid", "4000000000")), file("f")])]],
    [
      "attributes that many share, and long ones",
      [...Array(300).keys()].map((i) =>
        Buffer.concat([
          pax(
            record("SCHILY.xattr.user.same", "same"),
            record("SCHILY.xattr.trusted.own", String(i)),
            record("LIBARCHIVE.xattr.user.binary", Buffer.from([0, 1, 255]).toString("base64")),
          ),
          file(`f${i}`),
        ]),
      ),
    ],
    [
      "a directory with long attributes",
      [
        Buffer.concat([
          pax(record("SCHILY.xattr.user.long", "v".repeat(2000))),
          header({ name: "d/", flag: "5", mtime: 10_000_000 }),
        ]),
        file("d/f"),
      ],
    ],
    ["holes between whole blocks", [sparse("s", 1 << 20, [[4096, 512], [65_536, 8192], [1 << 19, 1024]])]], // biome-ignore format: pairs
    ["holes to the end, and from the beginning", [sparse("s", 70_001, []), sparse("t", 70_001, [[69_632, 369]])]],
    ["data at odd places", [sparse("s", 100_000, [[1, 3], [700, 513], [99_990, 10]]), file("after", "x")]], // biome-ignore format: pairs
    [
      "a file of many holes",
      [
        sparse(
          "s",
          1 << 26,
          [...Array(60).keys()].map((i) => [i << 20, 4096] as const),
        ),
      ],
    ],
  ];
  test.each([...cases])("%s", async (_, parts) => {
    const [unpacked, indexed] = await inBothWays(archive(...parts));
    expect(indexed).toEqual(unpacked as never);
    expect(indexed?.[0]).toBeObject();
  });

  test("data strewn over a huge file is refused as something that can only be unpacked", async () => {
    const map = [...Array(60).keys()].map((i) => `${i * 10 ** 12 + 1},1`).join(",");
    const records = pax(record("GNU.sparse.size", String(10 ** 15)), record("GNU.sparse.map", map));
    const strewn = archive(records, header({ name: "s", size: 60 }, "x".repeat(60)));
    await expect(indexInto(directory(), streamOf(strewn))).rejects.toMatchObject({
      code: "unimplemented",
      message: expect.stringContaining("1000000000000000 bytes"),
    });
  });

  test("the tar is kept as it came, filled up to a block", async () => {
    const path = directory();
    const bytes = Buffer.concat([archive(file("f", "content")), Buffer.from("rubbish")]);
    expect((await indexInto(path, streamOf(bytes))).tarBytes).toBe(bytes.length);
    const kept = readFileSync(join(path, "layer.tar"));
    expect(kept.subarray(0, bytes.length).equals(bytes)).toBe(true);
    expect(statSync(join(path, "layer.tar")).size % 512).toBe(0);
  });
});

/** Of the first one there is that knows blocks of 512 bytes, which came with erofs-utils 1.6. */
const fsck = (() => {
  const { stdout } = Bun.spawnSync(["sh", "-c", "fsck.erofs --version 2>/dev/null"]);
  const [, major = 0, minor = 0] = /(\d+)\.(\d+)/.exec(stdout.toString()) ?? [];
  return Number(major) > 1 || Number(minor) >= 6;
})();

test.skipIf(!fsck)("fsck.erofs finds no fault (needs erofs-utils 1.6, which this machine has or has not)", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const path = directory();
    if (await indexInto(path, streamOf(randomArchive(seed))).catch(() => undefined)) {
      const run = Bun.spawnSync(["fsck.erofs", "--extract", `--device=${path}/layer.tar`, `${path}/index.erofs`]);
      expect(run.stderr.toString() + run.stdout.toString()).not.toMatch(/<E>/);
      expect(run.exitCode).toBe(0);
    }
  }
});
