/** Layers unpacked here, layers that the kernel shows by an index, and what GNU tar unpacks must be the same in every inode. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyLayer } from "../../src/image/layers/apply/apply-layer.ts";
import { Root, walk } from "../../src/linux/fs-at/fs-at.ts";
import {
  decodeName,
  fsetxattr,
  lchownat,
  lsetxattrat,
  lutimesat,
  makeDevice,
  mkdirat,
  mknodat,
  O,
  openat,
  pwriteAll,
  S,
  symlinkat,
  withFd,
} from "../../src/linux/sys/sys.ts";
import { indexInto, mountIndexed } from "./indexed.ts";
import { describeTree } from "./tree.ts";

let base: string;
let source: string;

function tar(...args: readonly string[]): void {
  const { success, stderr } = Bun.spawnSync(["tar", ...args], {
    env: { LC_ALL: "C.UTF-8", PATH: process.env.PATH ?? "" },
  });
  if (!success) throw new Error(`tar ${args.join(" ")}: ${stderr}`);
}

/** A tree with something of everything that a file system knows. */
function makeTree(path: string): void {
  mkdirSync(join(path, "dir/sub"), { recursive: true });
  writeFileSync(join(path, "dir/sub/file"), "content");
  writeFileSync(join(path, "dir/empty"), "");
  writeFileSync(join(path, "dir/large"), Buffer.alloc(3_000_001, "0123456789"));
  linkSync(join(path, "dir/sub/file"), join(path, "dir/link"));
  symlinkSync("sub/file", join(path, "dir/symlink"));
  symlinkSync("/nowhere", join(path, "dangling"));
  linkSync(join(path, "dir/symlink"), join(path, "dir/symlink-too"));
  const long = `${"long-name-".repeat(12)}end`;
  mkdirSync(join(path, long, long), { recursive: true });
  writeFileSync(join(path, long, long, long), "deep");
  linkSync(join(path, long, long, long), join(path, long, "link-to-long-name"));
  symlinkSync(`${long}/${long}`, join(path, "symlink-to-long-name"));
  writeFileSync(join(path, "é€😀"), "unicode");
  using root = Root.open(path);
  makeNodes(root.fd);
  makeAttributes(root);
  makeSparse(path);
  makeTimes(root);
}

function makeNodes(fd: number): void {
  mkdirat(fd, "dev", 0o755);
  mknodat(fd, "dev/null", S.IFCHR | 0o666, makeDevice(1, 3));
  mknodat(fd, "dev/sda", S.IFBLK | 0o660, makeDevice(8, 0));
  mknodat(fd, "dev/large-numbers", S.IFCHR | 0o600, makeDevice(511, 1_000_000));
  mknodat(fd, "dev/pipe", S.IFIFO | 0o640);
  lchownat(fd, "dev/sda", 0, 6);
}

function makeAttributes(root: Root): void {
  root.writeFile("capable", "x", { mode: 0o755 });
  withFd(root.openFile("capable", O.RDWR), (fd) => {
    const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");
    fsetxattr(fd, "security.capability", capability);
    fsetxattr(fd, "user.binary", Buffer.from([0, 10, 13, 61, 255]));
    fsetxattr(fd, "user.text", Buffer.from("words"));
  });
  lsetxattrat(root.fd, "dir", "user.of-directory", Buffer.from("yes"));
  lsetxattrat(root.fd, "dangling", "trusted.of-link", Buffer.from("yes"));
  root.writeFile("setuid", "x", { mode: 0o4755, uid: 1000, gid: 2000 });
  root.writeFile("setgid", "x", { mode: 0o2711, uid: 70_000, gid: 4_000_000_000 });
  root.mkdir("sticky", { mode: 0o1777 });
  root.mkdir("inherit", { mode: 0o2775, gid: 33 });
  root.writeFile("inherit/file", "group of its directory", { gid: 44 });
  root.mkdir("closed", { mode: 0 });
  root.writeFile("closed/inside", "x", { mode: 0 });
  root.writeFile("group-writable", "x", { mode: 0o664 });
  lchownat(root.fd, "dangling", 5, 6);
}

function makeSparse(path: string): void {
  mkdirSync(join(path, "sparse"));
  const make = (name: string, size: number, places: readonly number[]) =>
    withFd(openat(-100, join(path, "sparse", name), O.CREAT | O.RDWR, 0o644), (fd) => {
      for (const place of places) pwriteAll(fd, Buffer.alloc(4096, "x"), place);
      truncateSync(join(path, "sparse", name), size);
    });
  make("hole", 1 << 20, []);
  make("middle", 1 << 20, [262_144]);
  make("end", 300_000, [294_912]);
  make(
    "many",
    64 << 20,
    [...Array(200).keys()].map((i) => i * 262_144),
  );
  make("start", 5 << 20, [0, 4096, 8192]);
}

/** Odd times for everything, to the nanosecond, directories last. */
function makeTimes(root: Root): void {
  const paths = [...walk(root)].filter(({ kind }) => kind !== "enter").map(({ path }) => path);
  for (const [index, path] of paths.entries()) {
    if (path === "") continue;
    const time = { seconds: 1_600_000_000 + index * 1000, nanoseconds: (index * 123_456_789) % 1e9 };
    lutimesat(root.fd, path, time, time);
  }
}

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "galley-gnu-tar-"));
  source = join(base, "source");
  mkdirSync(source);
  makeTree(source);
});
afterAll(() => rmSync(base, { recursive: true }));

async function* chunksOf(path: string, size: number) {
  const bytes = await Bun.file(path).bytes();
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Unpacks an archive in both ways, indexes it, and compares. A mounted index counts holes as blocks. */
async function compare(archive: string, name: string, chunk: number): Promise<void> {
  const [ours, theirs] = [join(base, `${name}-ours`), join(base, `${name}-theirs`)];
  for (const path of [ours, theirs]) mkdirSync(path);
  tar("-x", "-p", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-f", archive, "-C", theirs);
  await applyLayer(ours, chunksOf(archive, chunk));
  const expected = describeTree(theirs, { blocks: true });
  expect(expected.length).toBeGreaterThan(20);
  expect(describeTree(ours, { blocks: true })).toEqual([...expected]);
  const indexed = join(base, `${name}-indexed`);
  mkdirSync(indexed);
  await indexInto(indexed, chunksOf(archive, chunk));
  {
    using mounted = mountIndexed(indexed);
    expect(describeTree(mounted.path)).toEqual([...describeTree(theirs)]);
  }
  for (const path of [ours, theirs, indexed]) rmSync(path, { recursive: true });
}

describe("archives that GNU tar makes", () => {
  const formats: readonly (readonly [string, readonly string[]])[] = [
    ["pax", ["--format=pax", "--xattrs", "--xattrs-include=*"]],
    ["pax sparse 1.0", ["--format=pax", "--sparse", "--sparse-version=1.0", "--xattrs", "--xattrs-include=*"]],
    ["pax sparse 0.1", ["--format=pax", "--sparse", "--sparse-version=0.1"]],
    ["pax sparse 0.0", ["--format=pax", "--sparse", "--sparse-version=0.0"]],
    ["gnu", ["--format=gnu"]],
    ["gnu sparse", ["--format=gnu", "--sparse"]],
    ["oldgnu sparse", ["--format=oldgnu", "--sparse"]],
    ["pax with global headers", ["--format=pax", "--pax-option=globexthdr.name=/tmp/g,gid=77"]],
  ];
  test.each([...formats])("in %s", async (name, options) => {
    const archive = join(base, "archive.tar");
    tar("-c", "--numeric-owner", ...options, "-f", archive, "-C", source, ".");
    await compare(archive, name.replaceAll(" ", "-"), 10_240);
    await compare(archive, `${name.replaceAll(" ", "-")}-chunks`, 65_521);
  });

  test.each(["ustar", "v7"])("in %s, of what it can hold", async (format) => {
    const archive = join(base, "archive.tar");
    const without = ["long-name*", "symlink-to-long-name", "setgid", "dev"].map((name) => `--exclude=./${name}`);
    tar("-c", "--numeric-owner", `--format=${format}`, ...without, "-f", archive, "-C", source, ".");
    await compare(archive, format, 512);
  });

  test("twice the same names, in another order and of other types", async () => {
    const archive = join(base, "archive.tar");
    tar("-c", "-f", archive, "-C", source, "dir/sub", "dir/empty", "capable");
    mkdirSync(join(base, "other/dir/empty/now-a-directory"), { recursive: true });
    writeFileSync(join(base, "other/capable"), "again");
    for (let i = 0; i < 20; i++) writeFileSync(join(base, `other/dir/${i}`), String(i));
    tar("-r", "-f", archive, "-C", join(base, "other"), ".");
    await compare(archive, "twice", 1000);
  });
});

test("names that are no UTF-8 come through as they are", async () => {
  const odd = join(base, "odd");
  mkdirSync(odd);
  using root = Root.open(odd);
  for (let byte = 0x80; byte < 0x100; byte++) {
    symlinkat(decodeName(Uint8Array.of(byte)), root.fd, decodeName(Uint8Array.of(0x61, byte)));
  }
  for (const format of ["pax", "gnu"]) {
    tar("-c", `--format=${format}`, "-f", join(base, "odd.tar"), "-C", odd, ".");
    await compare(join(base, "odd.tar"), `odd-${format}`, 4096);
  }
});

test("a real root file system is the same", async () => {
  const roots = ["/usr/share/zoneinfo", "/usr/lib/python3", "/etc"].filter(
    (path) => Bun.spawnSync(["test", "-d", path]).success,
  );
  for (const [index, path] of roots.entries()) {
    const archive = join(base, "real.tar");
    tar("-c", "--numeric-owner", "--format=pax", "--xattrs", "-f", archive, "-C", path, ".");
    await compare(archive, `real-${index}`, 262_144);
  }
});
