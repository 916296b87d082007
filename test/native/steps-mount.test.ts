import { expect } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { testWith } from "../harness/requirements.ts";
import { CLONE, E, inNamespaces, MS, O, op, run, Scratch, shell, text } from "./program.ts";

const root = (name: string, body: () => Promise<void>) => testWith({ root: true }, name, body);

const RDONLY = 1;
const EMPTY_PATH = 0x1000;
const MOVE_FROM_EMPTY = 4;
const MOVE_TO_EMPTY = 0x40;
const OPEN_TREE = { clone: 1, cloexec: O.cloexec, recursive: 0x8000 } as const;

/** struct mount_attr: attributes to set, to clear, propagation, user namespace. */
function mountAttr(set: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(set), true);
  return bytes;
}

root("a new file system is configured, mounted and moved by descriptors", async () => {
  using folder = new Scratch();
  const { report, output } = await inNamespaces(
    0,
    [
      op("fsopen", ["tmpfs", 1], { out: "fs" }),
      op("fsconfig_string", ["fs", "size", "1m"]),
      op("fsconfig_flag", ["fs", "noswap"], { tolerate: [E.INVAL] }),
      op("fsconfig_create", ["fs"]),
      op("fsmount", ["fs", 1, 2], { out: "mount" }),
      op("close", ["fs"]),
      op("openat", ["cwd", "/", O.path, 0], { out: "root" }),
      op("resolve", ["root", folder.path, 1, 0o755], { out: "target" }),
      op("move_mount", ["mount", "", "target", "", MOVE_FROM_EMPTY | MOVE_TO_EMPTY]),
    ],
    `grep ' ${folder.path} ' /proc/self/mounts`,
  );
  expect(report.failure).toBeUndefined();
  expect(output).toMatch(/^none .* tmpfs rw,nosuid,.*size=1024k/);
});

root("a bad mount option is an error of its own step", async () => {
  const { report } = await run({
    outside: [op("fsopen", ["tmpfs", 1], { out: "fs" }), op("fsconfig_string", ["fs", "colour", "red"])],
  });
  expect(report.failure).toEqual({ section: "outside", step: 1, errno: E.INVAL });
});

root("an overlay takes its layers as descriptors or strings", async () => {
  using folder = new Scratch();
  for (const name of ["lower", "upper", "work", "merged"]) mkdirSync(folder.at(name));
  writeFileSync(folder.at("lower", "file"), "below\n");
  const { report, output } = await inNamespaces(
    0,
    [
      op("fsopen", ["tmpfs", 1], { out: "scratch" }),
      op("fsconfig_create", ["scratch"]),
      op("fsmount", ["scratch", 1, 0], { out: "mount" }),
      op("move_mount", ["mount", "", "cwd", folder.at("merged"), MOVE_FROM_EMPTY]),
      op("mkdirat", ["mount", "upper", 0o755]),
      op("mkdirat", ["mount", "work", 0o755]),
      op("openat", ["mount", "upper", O.path, 0], { out: "upper" }),
      op("openat", ["cwd", folder.at("lower"), O.path, 0], { out: "lower" }),
      op("fsopen", ["overlay", 1], { out: "overlay" }),
      op("fsconfig_string", ["overlay", "lowerdir", folder.at("lower")]),
      op("fsconfig_fd", ["overlay", "upperdir", "upper"], { tolerate: [E.INVAL] }),
      op("fsconfig_string", ["overlay", "upperdir", folder.at("merged", "upper")]),
      op("fsconfig_string", ["overlay", "workdir", folder.at("merged", "work")]),
      op("fsconfig_create", ["overlay"]),
      op("fsmount", ["overlay", 1, 0], { out: "root" }),
      op("move_mount", ["root", "", "cwd", folder.at("work"), MOVE_FROM_EMPTY]),
    ],
    `cat ${folder.at("work", "file")}; echo new > ${folder.at("work", "new")}; ls ${folder.at("merged", "upper")}`,
  );
  expect(report.failure).toBeUndefined();
  expect(output).toBe("below\nnew\n");
});

root("a copied tree is attached with other attributes", async () => {
  using folder = new Scratch();
  mkdirSync(folder.at("from"));
  mkdirSync(folder.at("to"));
  const { report, output } = await inNamespaces(
    0,
    [
      op("open_tree", ["cwd", folder.at("from"), OPEN_TREE.clone | OPEN_TREE.cloexec | OPEN_TREE.recursive], {
        out: "tree",
      }),
      op("mount_setattr", ["tree", "", EMPTY_PATH, mountAttr(RDONLY)]),
      op("move_mount", ["tree", "", "cwd", folder.at("to"), MOVE_FROM_EMPTY]),
    ],
    `touch ${folder.at("from", "x")} && ! touch ${folder.at("to", "y")} 2>/dev/null && ls ${folder.at("to")}`,
  );
  expect(report.failure).toBeUndefined();
  expect(output).toBe("x\n");
});

root("a root is pivoted to, and the old one is gone", async () => {
  using folder = new Scratch();
  mkdirSync(folder.at("marker"));
  const { report } = await run({
    outside: [op("clone", [CLONE.newns, "none", 1])],
    inside: [
      op("mount", ["", "/", "", MS.rec | MS.private, ""]),
      op("mount", [folder.path, folder.path, "", MS.bind, ""]),
      op("openat", ["cwd", "/", O.path | O.directory, 0], { out: "old" }),
      op("chdir", [folder.path]),
      op("pivot_root", [".", "."]),
      op("umount", [".", 2]),
      op("chdir", ["/"]),
      op("check_cwd", []),
      op("openat", ["cwd", "/marker", O.directory, 0]),
      op("fchdir", ["old"]),
      op("check_cwd", []),
    ],
  });
  expect(report.failure).toEqual({ section: "inside", step: 10, errno: E.NOENT });
});

root("a working directory outside of the root is found out", async () => {
  using folder = new Scratch();
  mkdirSync(folder.at("inner"));
  const { report } = await run({
    outside: [op("chdir", ["/"]), op("chroot", [folder.at("inner")]), op("check_cwd", [])],
  });
  expect(report.failure).toEqual({ section: "outside", step: 2, errno: E.NOENT });
});

/** A root directory with a device of null, as masks need it. */
const withNull = (folder: Scratch) => [
  op("mkdirat", ["cwd", folder.at("dev"), 0o755]),
  op("mknodat", ["cwd", folder.at("dev", "null"), 0o020666, 0x103]),
  op("openat", ["cwd", folder.path, O.path | O.directory, 0], { out: "root" }),
];

root("masked directories are empty and read-only, masked files are the null device, missing ones nothing", async () => {
  using folder = new Scratch();
  mkdirSync(folder.at("secret"));
  mkdirSync(folder.at("other"));
  writeFileSync(folder.at("secret", "key"), "k");
  writeFileSync(folder.at("file"), "f");
  symlinkSync("/other", folder.at("link"));
  writeFileSync(folder.at("other", "o"), "o");
  const { report, output } = await inNamespaces(
    0,
    [
      ...withNull(folder),
      op("mask_path", ["root", "/secret"]),
      op("mask_path", ["root", "/link"]),
      op("mask_path", ["root", "/file"]),
      op("mask_path", ["root", "/file/below"]),
      op("mask_path", ["root", "/missing/path"]),
    ],
    `cd ${folder.path}; ls secret other; touch secret/x 2>&1 | grep -c Read-only; cat file; stat -c %t:%T file`,
  );
  expect(report.failure).toBeUndefined();
  expect(output).toBe("other:\n\nsecret:\n1\n1:3\n");
});

root("a false null device masks nothing", async () => {
  using folder = new Scratch();
  mkdirSync(folder.at("dev"));
  writeFileSync(folder.at("dev", "null"), "");
  writeFileSync(folder.at("file"), "f");
  const mask = () =>
    inNamespaces(
      0,
      [op("openat", ["cwd", folder.path, O.path, 0], { out: "root" }), op("mask_path", ["root", "file"])],
      "true",
    );
  expect((await mask()).report.failure).toEqual({ section: "inside", step: 2, errno: E.NODEV });
  symlinkSync("/dev/null", folder.at("dev", "elsewhere"));
  Bun.spawnSync(["mv", folder.at("dev", "elsewhere"), folder.at("dev", "null")]);
  expect((await mask()).report.failure).toMatchObject({ step: 2, errno: E.NODEV });
});

root("read-only paths take what is mounted below with them, missing ones are nothing", async () => {
  using folder = new Scratch();
  mkdirSync(folder.at("tree", "below"), { recursive: true });
  const { report, output } = await inNamespaces(
    0,
    [
      op("openat", ["cwd", folder.path, O.path, 0], { out: "root" }),
      op("mount", ["tmpfs", folder.at("tree", "below"), "tmpfs", 0, ""]),
      op("readonly_path", ["root", "/tree"]),
      op("readonly_path", ["root", "/none"]),
    ],
    `cd ${folder.path}; for d in . tree tree/below; do touch $d/x 2>/dev/null && echo $d; done`,
  );
  expect(report.failure).toBeUndefined();
  expect(output).toBe(".\n");
});

root("a new file system takes the mode of a directory, and its own where there is none", async () => {
  using folder = new Scratch();
  mkdirSync(folder.at("image", "there"), { recursive: true });
  chmodSync(folder.at("image", "there"), 0o2510);
  mkdirSync(folder.at("point"));
  const modeAfter = async (path: string): Promise<string> => {
    const { report, output } = await inNamespaces(
      0,
      [
        op("openat", ["cwd", folder.at("image"), O.path, 0], { out: "root" }),
        op("fsopen", ["tmpfs", 1], { out: "fs" }),
        op("fsconfig_mode_of", ["fs", "root", path]),
        op("fsconfig_create", ["fs"]),
        op("fsmount", ["fs", 1, 0], { out: "mount" }),
        op("move_mount", ["mount", "", "cwd", folder.at("point"), MOVE_FROM_EMPTY]),
      ],
      `stat -c %a ${folder.at("point")}`,
    );
    expect(report.failure).toBeUndefined();
    return output.trim();
  };
  expect([await modeAfter("/there"), await modeAfter("/none")]).toEqual(["2510", "1777"]);
});

root("a detached mount shows the IDs that a user namespace maps", async () => {
  using folder = new Scratch();
  writeFileSync(folder.at("file"), "");
  mkdirSync(folder.at("point"));
  const map = text("0 1000 10\n");
  const { report, output } = await inNamespaces(
    0,
    [
      op("user_namespace", [map, map], { out: "ids" }),
      op("open_tree", ["cwd", folder.path, OPEN_TREE.clone | OPEN_TREE.cloexec], { out: "mount" }),
      op("map_mount", ["mount", "ids", 0]),
      op("move_mount", ["mount", "", "cwd", folder.at("point"), MOVE_FROM_EMPTY]),
    ],
    `stat -c %u:%g ${folder.at("file")} ${folder.at("point")}/file`,
  );
  expect(report.failure).toBeUndefined();
  expect(output).toBe("0:0\n1000:1000\n");
});

root("a map that the kernel refuses leaves no process", async () => {
  const { report } = await run({
    outside: [op("user_namespace", [text("0 0 0\n"), text("0 0 1\n")], { out: "ids" }), shell("true")],
  });
  expect(report.failure).toEqual({ section: "outside", step: 0, errno: E.INVAL });
});
