/** A squashfs read by Galley is the file system that the kernel mounts, in every inode, whatever mksquashfs was asked for. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout } from "bun:test";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyLayer } from "../../src/image/layers/apply/apply-layer.ts";
import { fileSection } from "../../src/image/layers/squashfs/section.ts";
import { squashfsMembers } from "../../src/image/layers/squashfs/squashfs-members.ts";
import { writeTar } from "../../src/image/layers/tar/write-tar.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { squashfsOf } from "../harness/squashfs.ts";
import { makeKindsOfFiles } from "./kinds-of-files.ts";
import { describeTree, type Inode } from "./tree.ts";

setDefaultTimeout(60_000);

const needs = { root: true, commands: ["mksquashfs", "mount"] };

let base: string;
let tree: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "galley-squashfs-"));
  tree = join(base, "tree");
  if (missing(needs) === undefined) makeKindsOfFiles(tree);
});
afterAll(() => rmSync(base, { recursive: true }));

function run(...command: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(command);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString()}`);
}

/** What the kernel shows; sockets are in no archive. */
function asMounted(image: string): readonly Inode[] {
  const mount = `${image}.mount`;
  mkdirSync(mount);
  run("mount", "-t", "squashfs", "-o", "loop,ro", image, mount);
  try {
    return describeTree(mount).filter(({ type }) => type !== "socket");
  } finally {
    run("umount", mount);
  }
}

async function asRead(image: string, size: number): Promise<readonly Inode[]> {
  const target = `${image}.read`;
  mkdirSync(target);
  const fd = openSync(image, "r");
  try {
    await applyLayer(target, writeTar(squashfsMembers(fileSection(fd, 0, size))));
    return describeTree(target);
  } finally {
    closeSync(fd);
    rmSync(target, { recursive: true, force: true });
  }
}

const ways: readonly (readonly [string, readonly string[]])[] = [
  ["as mksquashfs likes it", []],
  ["of zstd", ["-comp", "zstd"]],
  ["of lz4", ["-comp", "lz4"]],
  ["of lzo", ["-comp", "lzo"]],
  ["of xz", ["-comp", "xz", "-b", "1M"]],
  ["of xz with its filter for programs", ["-comp", "xz", "-Xbcj", "x86"]],
  ["of the smallest blocks", ["-b", "4096"]],
  ["of the largest blocks", ["-b", "1M"]],
  ["without compression", ["-noI", "-noD", "-noF", "-noX", "-noId"]],
  ["without fragments", ["-no-fragments"]],
  ["with every end in a fragment", ["-always-use-fragments", "-b", "64K"]],
  ["with nothing shared, not exportable", ["-no-duplicates", "-no-exports", "-no-sparse"]],
  ["of one owner, without attributes", ["-all-root", "-no-xattrs"]],
];

describe("a squashfs is read as the kernel mounts it", () => {
  for (const [index, [name, flags]] of ways.entries()) {
    testWith(needs, name, async () => {
      const image = join(base, String(index));
      const bytes = squashfsOf(tree, flags);
      writeFileSync(image, bytes);
      const mounted = asMounted(image);
      expect(mounted.length).toBeGreaterThan(1600);
      expect(await asRead(image, bytes.length)).toEqual(mounted);
    });
  }

  testWith(needs, "of lzma, which kernels do not read", async () => {
    const [mounted, image] = [join(base, "gzip"), join(base, "lzma")];
    writeFileSync(mounted, squashfsOf(tree));
    const bytes = squashfsOf(tree, ["-comp", "lzma"]);
    writeFileSync(image, bytes);
    expect(await asRead(image, bytes.length)).toEqual(asMounted(mounted));
  });
});
