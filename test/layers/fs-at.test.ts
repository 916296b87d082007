/** What only root can try of the path library: mounts, immutable files, devices, other owners. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyTree, Root, removeTree, walk } from "../../src/linux/fs-at/fs-at.ts";
import {
  fsetxattr,
  lsetxattrat,
  MS,
  makeDevice,
  mknodat,
  mount,
  O,
  S,
  UMOUNT,
  umount,
  withFd,
} from "../../src/linux/sys/sys.ts";
import { describeTree } from "./tree.ts";

let base: string;
let root: Root;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "galley-fs-at-root-"));
  root = Root.open(base);
});
afterEach(() => {
  root.close();
  rmSync(base, { recursive: true });
});

test("removing stops at what is mounted in the tree, and leaves it alone", () => {
  mkdirSync(join(base, "source"));
  writeFileSync(join(base, "source/precious"), "x");
  mkdirSync(join(base, "tree/sub/mounted"), { recursive: true });
  mount(join(base, "source"), join(base, "tree/sub/mounted"), "", MS.BIND);
  try {
    expect(() => removeTree(root, "tree")).toThrow(
      expect.objectContaining({
        code: "failed_precondition",
        message: "something is mounted there",
        subject: "tree/sub/mounted",
      }),
    );
    expect(existsSync(join(base, "source/precious"))).toBe(true);
    expect([...walk(root, "tree")].map(({ path }) => path)).not.toContain("sub/mounted/precious");
  } finally {
    umount(join(base, "tree/sub/mounted"), UMOUNT.NOFOLLOW);
  }
  removeTree(root, "tree");
  expect(readdirSync(base)).toEqual(["source"]);
});

test("a file that is mounted on is named too", () => {
  mkdirSync(join(base, "tree"));
  writeFileSync(join(base, "tree/file"), "");
  mount("/dev/null", join(base, "tree/file"), "", MS.BIND);
  try {
    expect(() => removeTree(root, "tree")).toThrow(
      expect.objectContaining({ code: "failed_precondition", subject: "tree/file" }),
    );
  } finally {
    umount(join(base, "tree/file"), UMOUNT.NOFOLLOW);
  }
});

test.each([
  ["file", "tree/sub/file", "it is immutable"],
  ["directory", "tree/sub", "its directory is immutable"],
])("an immutable %s is said to be so", (_, path, message) => {
  mkdirSync(join(base, "tree/sub"), { recursive: true });
  writeFileSync(join(base, "tree/sub/file"), "");
  const chattr = (flag: string) => Bun.spawnSync(["chattr", flag, join(base, path)]);
  const { success, stderr } = chattr("+i");
  if (!success) throw new Error(`this file system has no immutable files: ${stderr}`);
  try {
    expect(() => removeTree(root, "tree")).toThrow(
      expect.objectContaining({ code: "permission_denied", subject: "tree/sub/file", message }),
    );
  } finally {
    chattr("-i");
  }
});

test("copies owners, devices, attributes, links and holes", async () => {
  mkdirSync(join(base, "from/d"), { recursive: true });
  using from = root.sub("from");
  from.writeFile("d/f", "content", { mode: 0o6755, uid: 1000, gid: 2000 });
  withFd(from.openFile("d/f", O.RDWR), (fd) => {
    fsetxattr(fd, "security.capability", Buffer.from("0100000200200000000000000000000000000000", "hex"));
    fsetxattr(fd, "user.binary", Buffer.from([0, 255]));
  });
  linkSync(join(base, "from/d/f"), join(base, "from/g"));
  symlinkSync("/nowhere", join(base, "from/l"));
  lsetxattrat(from.fd, "l", "trusted.of-link", Buffer.from("yes"));
  lsetxattrat(from.fd, "d", "trusted.overlay.opaque", Buffer.from("y"));
  mknodat(from.fd, "null", S.IFCHR | 0o666, makeDevice(1, 3));
  mknodat(from.fd, "whiteout", S.IFCHR, 0);
  writeFileSync(join(base, "from/sparse"), "x");
  truncateSync(join(base, "from/sparse"), 10 << 20);
  mkdirSync(join(base, "to"));
  await copyTree(root, "from", root, "to");
  const expected = describeTree(join(base, "from"), { blocks: true }).map(
    ({ "xattr trusted.overlay.opaque": _, ...inode }) => inode,
  );
  expect(describeTree(join(base, "to"), { blocks: true })).toEqual(expected);
});

test("copies from one file system to another", async () => {
  mkdirSync(join(base, "from"));
  mkdirSync(join(base, "to"));
  mount("tmpfs", join(base, "to"), "tmpfs", 0, "size=64m");
  try {
    writeFileSync(join(base, "from/f"), Buffer.alloc(3_000_000, "x"));
    truncateSync(join(base, "from/f"), 20_000_000);
    using to = root.sub("to");
    await copyTree(root, "from", to, "/");
    expect(describeTree(join(base, "to"))).toEqual([...describeTree(join(base, "from"))]);
  } finally {
    umount(join(base, "to"), UMOUNT.NOFOLLOW);
  }
});
