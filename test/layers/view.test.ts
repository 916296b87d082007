import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { header } from "../../src/image/layers/tar/test-blocks.ts";
import { LayerView } from "../../src/image/layers/view/view.ts";
import { OverlayDirectories } from "../../src/image/snapshot/overlay-directories.ts";
import { readImageFile } from "../../src/image/snapshot/read-image-file.ts";
import { sampleLayer, streamOf } from "../../src/image/snapshot/snapshotter-suite.ts";
import { Root } from "../../src/linux/fs-at/fs-at.ts";
import { mount, UMOUNT, umount } from "../../src/linux/sys/sys.ts";
import { describeEntries, describeTree, type Inode } from "./tree.ts";

const directory = (name: string, mode = 0o755) => header({ name: `${name}/`, flag: "5", mode, mtime: 1000 });
const file = (name: string, text: string, mode = 0o644) => header({ name, size: text.length, mode, mtime: 2000 }, text);
const link = (name: string, linkName: string) => header({ name, flag: "2", linkName, mtime: 3000 });

/** Bottom first; each says something else of the same few names. */
const layers = [
  [
    directory("etc"),
    file("etc/passwd", "root:x:0:0\n"),
    file("etc/removed", "x"),
    directory("var"),
    directory("var/old"),
    file("var/old/f", "old"),
    directory("var/merged", 0o700),
    file("var/merged/low", "low"),
    directory("data"),
    file("data/a", "same file"),
    header({ name: "data/b", flag: "1", linkName: "data/a" }),
    file("data/tool", "#!/bin/sh", 0o4755),
    file("was-file", "x"),
    directory("was-directory"),
    file("was-directory/f", "x"),
    link("loop", "loop"),
    link("up", "../../../etc"),
  ],
  [
    directory("etc"),
    header({ name: "etc/.wh.removed" }),
    link("etc/alternative", "/var/merged/low"),
    directory("var"),
    directory("var/old"),
    header({ name: "var/old/.wh..wh..opq" }),
    file("var/old/new", "new"),
    directory("var/merged", 0o750),
    file("var/merged/high", "high"),
    directory("was-file"),
    file("was-file/now", "inside"),
    file("was-directory", "a file"),
  ],
  [
    directory("etc"),
    file("etc/passwd", "root:x:0:0\nme:x:1000:1000\n"),
    directory("var"),
    directory("var/merged"),
    header({ name: "var/merged/.wh.low" }),
    link("run", "var/merged"),
    link("dangling", "/nowhere"),
  ],
];

let base: string;
let lower: readonly string[];
let upper: string;
let mounted: string;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "galley-view-"));
  const snapshotter = new OverlayDirectories(join(base, "layers"));
  const samples = layers.map((parts) => sampleLayer(...parts));
  for (const { diffId, bytes } of samples) await snapshotter.apply(diffId, streamOf(bytes));
  lower = await snapshotter.lower(samples.map(({ diffId }) => diffId));
  upper = join(base, "upper");
  mounted = join(base, "mounted");
  for (const path of [upper, join(base, "work"), mounted]) mkdirSync(path);
  const data = `lowerdir=${lower.join(":")},upperdir=${upper},workdir=${join(base, "work")},redirect_dir=off,metacopy=off`;
  mount("overlay", mounted, "overlay", 0, data);
  rmSync(join(mounted, "var/old"), { recursive: true });
  mkdirSync(join(mounted, "var/old"));
  writeFileSync(join(mounted, "var/old/mine"), "mine");
  rmSync(join(mounted, "data/b"));
  writeFileSync(join(mounted, "etc/passwd"), "changed\n");
});
afterAll(() => {
  umount(mounted, UMOUNT.NOFOLLOW);
  rmSync(base, { recursive: true });
});

/** What overlayfs writes into its directories it does not show. */
function withoutOverlayNotes(inode: Inode): Inode {
  const shown = Object.entries(inode).filter(([property]) => !property.startsWith("xattr trusted.overlay."));
  return { ...Object.fromEntries(shown), path: inode.path };
}

describe("LayerView", () => {
  test("shows what overlayfs shows, with a container's changes on top", () => {
    using view = new LayerView(lower, upper);
    const expected = describeTree(mounted);
    const shown = describeEntries(view.walk()).map(withoutOverlayNotes);
    expect(expected.length).toBeGreaterThan(15);
    expect(shown).toEqual([...expected]);
  });

  test("reads files through the links of all layers", () => {
    using view = new LayerView(lower);
    const read = (path: string) => Buffer.from(view.readFile(path, 100)).toString();
    expect(read("/etc/passwd")).toBe("root:x:0:0\nme:x:1000:1000\n");
    expect(read("up/passwd")).toBe(read("etc/passwd"));
    expect(read("../../run/high")).toBe("high");
    expect(read("was-directory")).toBe("a file");
    expect(read("was-file/now")).toBe("inside");
    expect(() => view.readFile("/etc/passwd", 5)).toThrow("larger than 5 bytes");
    expect(() => view.readFile("/etc", 5)).toThrow("directory");
    expect(view.realpath("run/../old/new")).toBe("/var/old/new");
  });

  test("does not show what is removed, replaced or hidden", () => {
    using view = new LayerView(lower);
    for (const path of [
      "etc/removed",
      "var/old/f",
      "var/merged/low",
      "dangling",
      "etc/alternative",
      "nothing/at/all",
    ]) {
      expect(view.tryStat(path)).toBeUndefined();
      expect(() => view.stat(path)).toThrow("ENOENT");
    }
    expect(view.readdir("var/merged")).toEqual([{ name: "high", type: "file" }]);
    expect(() => view.stat("was-directory/f")).toThrow("ENOTDIR");
    expect(() => view.stat("loop")).toThrow("ELOOP");
  });

  test("tells links from what they lead to", () => {
    using view = new LayerView(lower);
    expect(view.stat("run", { follow: false }).type).toBe("symlink");
    expect(view.stat("run").type).toBe("directory");
    expect(view.readlink("dangling")).toBe("/nowhere");
    expect(() => view.readlink("etc")).toThrow("EINVAL");
  });

  test("copies a directory with all that it has", async () => {
    using view = new LayerView(lower);
    const target = join(base, "volume");
    mkdirSync(target);
    using root = Root.open(target);
    await view.copyTo("/data", root);
    const original = join(lower.at(-1) ?? "", "data");
    expect(describeTree(target, { blocks: true })).toEqual(describeTree(original, { blocks: true }));
  });

  test("a link in a layer that leads out of it is not followed there", async () => {
    const evil = join(base, "evil");
    mkdirSync(evil);
    symlinkSync("/etc", join(evil, "etc"));
    using view = new LayerView([evil, ...lower]);
    expect(() => view.readFile("/etc/passwd", 100_000)).toThrow("ELOOP");
  });
});

describe("readImageFile", () => {
  test.each([
    "/etc/passwd",
    "was-directory",
    "up/passwd",
    "etc/removed",
    "var/old/f",
    "var/old/new",
    "var/merged/low",
    "was-file/now",
    "x/y",
  ])("gives of %s what a view does", async (path) => {
    using view = new LayerView(lower);
    const expected = view.tryStat(path) === undefined ? undefined : view.readFile(path, 100);
    expect(await readImageFile(lower, path, 100)).toEqual(expected as Uint8Array);
  });

  test("reads at most what it was allowed", async () => {
    await expect(readImageFile(lower, "etc/passwd", 5)).rejects.toThrow("larger than 5 bytes");
    await expect(readImageFile(lower, "up/passwd", 5)).rejects.toThrow("larger than 5 bytes");
  });
});
