/** A tree that is archived and unpacked again is the same tree. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyLayer } from "../../src/image/layers/apply/apply-layer.ts";
import { readTar } from "../../src/image/layers/tar/read-tar.ts";
import { treeMembers } from "../../src/image/layers/tar/tree-members.ts";
import { writeTar } from "../../src/image/layers/tar/write-tar.ts";
import { LayerView } from "../../src/image/layers/view/view.ts";
import { Root, walk } from "../../src/linux/fs-at/fs-at.ts";
import { lsetxattrat, makeDevice, mknodat, mount, S, symlinkat, UMOUNT, umount } from "../../src/linux/sys/sys.ts";
import { describeEntries, describeTree } from "./tree.ts";

let base: string;
let source: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "galley-members-"));
  source = join(base, "source");
  mkdirSync(join(source, "d/e"), { recursive: true });
  writeFileSync(join(source, "d/f"), Buffer.alloc(2_500_000, "0123456789"), { mode: 0o640 });
  linkSync(join(source, "d/f"), join(source, "d/e/g"));
  symlinkSync("x".repeat(300), join(source, "long-link"));
  linkSync(join(source, "long-link"), join(source, "long-link-too"));
  using root = Root.open(source);
  mknodat(root.fd, "char", S.IFCHR | 0o600, makeDevice(511, 1_000_000));
  mknodat(root.fd, "pipe", S.IFIFO | 0o600);
  symlinkat("\udcff", root.fd, "odd-\udce9");
  root.writeFile("owned", "x", { mode: 0o4711, uid: 4_000_000_000, gid: 7 });
  lsetxattrat(root.fd, "owned", "user.binary", Buffer.from([0, 10, 255]));
  lsetxattrat(root.fd, "d", "user.of-directory", Buffer.from("yes"));
  utimesSync(join(source, "d/e"), 1000, 2000.25);
});
afterAll(() => rmSync(base, { recursive: true }));

function target(name: string): string {
  const path = join(base, name);
  mkdirSync(path);
  return path;
}

test("a tree comes back in every inode", async () => {
  const copy = target("copy");
  using root = Root.open(source);
  await applyLayer(copy, writeTar(treeMembers(walk(root), { name: "." })));
  expect(describeTree(copy)).toEqual([...describeTree(source)]);
});

test("GNU tar reads the archive, and finds nothing to complain of", async () => {
  const copy = target("gnu");
  using root = Root.open(source);
  const archive = join(base, "archive.tar");
  const writer = Bun.file(archive).writer();
  for await (const chunk of writeTar(treeMembers(walk(root), { name: "." }))) writer.write(chunk);
  await writer.end();
  const args = ["-x", "-p", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-f", archive, "-C", copy];
  const { stderr, success } = Bun.spawnSync(["tar", ...args]);
  expect({ stderr: stderr.toString(), success }).toEqual({ stderr: "", success: true });
  expect(describeTree(copy)).toEqual([...describeTree(source)]);
});

test("names stand below the one that was asked for, and sockets are left out", async () => {
  const server = createServer().listen(join(source, "socket"));
  try {
    using root = Root.open(source);
    const names: string[] = [];
    for await (const { entry } of readTar(writeTar(treeMembers(walk(root, "d"), { name: "to" }))))
      names.push(entry.name);
    expect(names).toEqual(["to/", "to/e/", "to/e/g", "to/f"]);
    const top = [...treeMembers(walk(root))].map(({ entry }) => entry.name);
    expect(top).toContain("owned");
    expect(top).not.toContain("socket");
    expect(top).not.toContain("");
  } finally {
    server.close();
  }
});

test("a container's changes become a layer that shows the same", async () => {
  const [lower, upper, work, mounted, layer] = ["lower", "upper", "work", "mounted", "layer"].map(target);
  const paths = { lower: lower ?? "", upper: upper ?? "", mounted: mounted ?? "", layer: layer ?? "" };
  for (const name of ["gone", "kept"]) writeFileSync(join(paths.lower, name), name);
  for (const name of ["emptied", "removed"]) {
    mkdirSync(join(paths.lower, name));
    writeFileSync(join(paths.lower, name, "f"), "old");
  }
  mount("overlay", paths.mounted, "overlay", 0, `lowerdir=${lower},upperdir=${upper},workdir=${work},redirect_dir=off`);
  try {
    for (const name of ["gone", "removed", "emptied"]) rmSync(join(paths.mounted, name), { recursive: true });
    mkdirSync(join(paths.mounted, "emptied"));
    writeFileSync(join(paths.mounted, "emptied/new"), "new");
    using root = Root.open(paths.upper);
    await applyLayer(paths.layer, writeTar(treeMembers(walk(root), { whiteouts: true })));
    using view = new LayerView([paths.layer, paths.lower]);
    const shown = describeEntries(view.walk()).filter(({ path }) => path !== "");
    expect(shown.map(({ path }) => path)).toEqual(["emptied", "emptied/new", "kept"]);
    const withoutNotes = shown.map(({ "xattr trusted.overlay.opaque": _, ...inode }) => inode);
    expect(withoutNotes).toEqual(describeTree(paths.mounted).filter(({ path }) => path !== ""));
  } finally {
    umount(paths.mounted, UMOUNT.NOFOLLOW);
  }
});
