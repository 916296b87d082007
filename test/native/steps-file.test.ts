import { expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { verifyKind } from "../../src/recipe/ops.ts";
import type { Step } from "../../src/recipe/recipe.ts";
import { testWith } from "../harness/requirements.ts";
import { CLONE, E, O, op, run, Scratch, shell, text } from "./program.ts";

const root = (name: string, body: () => Promise<void>) => testWith({ root: true }, name, body);
const outside = async (...steps: Step[]) => (await run({ outside: steps })).report.failure;

test("files are made, changed, linked, renamed and removed", async () => {
  using folder = new Scratch();
  const failure = await outside(
    op("umask", [0o27]),
    op("openat", ["cwd", folder.path, O.directory, 0], { out: "dir" }),
    op("mkdirat", ["dir", "d", 0o777]),
    op("symlinkat", ["d", "dir", "l"]),
    op("openat", ["dir", "f", O.creat | O.wronly, 0o666], { out: "f" }),
    op("fchmodat", ["dir", "f", 0o600]),
    op("fchownat", ["dir", "f", process.getuid?.() ?? 0, process.getgid?.() ?? 0, 0]),
    op("renameat2", ["dir", "f", "dir", "g", 1]),
    op("mkdirat", ["dir", "gone", 0o777]),
    op("unlinkat", ["dir", "gone", 0x200]),
  );
  expect(failure).toBeUndefined();
  expect(readdirSync(folder.path).sort()).toEqual(["d", "g", "l"]);
  expect(statSync(folder.at("d")).mode & 0o777).toBe(0o750);
  expect(statSync(folder.at("g")).mode & 0o777).toBe(0o600);
});

test("write_file writes once, with the flags it is given", async () => {
  using folder = new Scratch();
  const write = (name: string, words: string, flags: number) =>
    outside(op("write_file", ["cwd", folder.at(name), text(words), flags, 0o640]));
  expect(await write("a", "one", 0)).toEqual({ section: "outside", step: 0, errno: E.NOENT });
  expect(await write("a", "one two", O.creat)).toBeUndefined();
  expect(await write("a", "new", 0)).toBeUndefined();
  expect(readFileSync(folder.at("a"), "utf8")).toBe("new two");
  expect(statSync(folder.at("a")).mode & 0o777).toBe(0o640);
  expect(await write("a", "", O.trunc)).toBeUndefined();
  expect(readFileSync(folder.at("a"), "utf8")).toBe("");
  expect(await write("/dev/full", "x", 0)).toMatchObject({ errno: E.NOENT });
});

test("a full device is told", async () => {
  expect(await outside(op("write_file", ["cwd", "/dev/full", text("x"), 0, 0]))).toMatchObject({ errno: 28 });
});

test("the inside's pid is written, and its /proc opened", async () => {
  using folder = new Scratch();
  writeFileSync(folder.at("pid"), "");
  const { report } = await run({
    outside: [
      op("clone", [0, "none", 1]),
      op("write_pid", ["cwd", folder.at("pid")]),
      op("open_proc", [], { out: "proc" }),
      op("openat", ["proc", "stat", 0, 0]),
      op("signal", [1]),
    ],
    inside: [op("wait", [1]), shell("true")],
  });
  expect(report.failure).toBeUndefined();
  expect(readFileSync(folder.at("pid"), "utf8")).toBe(`${report.pid}`);
  expect(await outside(op("open_proc", []))).toMatchObject({ errno: E.SRCH });
});

test("await_file waits for content, and not for ever", async () => {
  using folder = new Scratch();
  const { report } = await run({
    outside: [op("clone", [0, "none", 1]), op("await_file", ["cwd", folder.at("late"), text("ready\n"), 10_000])],
    inside: [shell(`sleep 0.05; echo not; echo ready > ${folder.at("late")}`)],
  });
  expect(report.failure).toBeUndefined();
  expect(await outside(op("await_file", ["cwd", folder.at("late"), text("set"), 5]))).toMatchObject({
    errno: E.TIMEDOUT,
  });
  expect(await outside(op("await_file", ["cwd", folder.path, text("x"), 5]))).toMatchObject({ errno: 21 });
});

test("make_dirs makes what is missing", async () => {
  using folder = new Scratch();
  const path = folder.at("a/b/c");
  expect(await outside(op("make_dirs", [path, 0o750]), op("make_dirs", [path, 0o700]))).toBeUndefined();
  expect(statSync(path).mode & 0o777).toBe(0o750);
  writeFileSync(folder.at("file"), "");
  expect(await outside(op("make_dirs", [folder.at("file/x"), 0o755]))).toMatchObject({ errno: E.NOTDIR });
});

root("verify knows what it looks at", async () => {
  using folder = new Scratch();
  const open = (path: string) => op("openat", ["cwd", path, O.path, 0], { out: "fd" });
  const errno = async (path: string, kind: number) => (await outside(open(path), op("verify", ["fd", kind])))?.errno;
  expect(await errno("/dev/null", verifyKind.devNull)).toBeUndefined();
  expect(await errno("/dev/zero", verifyKind.devNull)).toBe(E.BADF);
  expect(await errno("/proc", verifyKind.procRoot)).toBeUndefined();
  expect(await errno("/proc/sys", verifyKind.procRoot)).toBe(E.BADF);
  expect(await errno(folder.path, verifyKind.procRoot)).toBe(E.BADF);
  expect(await errno("/dev/null", verifyKind.devpts)).toBe(E.BADF);
  expect(await errno(folder.path, verifyKind.cgroup)).toBe(E.BADF);
  expect(await errno("/dev/null", 9)).toBe(E.INVAL);
});

test("a tree is removed whole, and nothing that its links lead to", async () => {
  using folder = new Scratch();
  mkdirSync(folder.at("keep"));
  writeFileSync(folder.at("keep", "file"), "");
  mkdirSync(folder.at("tree/a/b"), { recursive: true });
  for (let i = 0; i < 500; i++) {
    mkdirSync(folder.at("tree", `dir-${i}`));
    writeFileSync(folder.at("tree", `dir-${i}`, "file"), "");
    writeFileSync(folder.at("tree", `file-${i}`), "");
  }
  symlinkSync(folder.at("keep"), folder.at("tree/a/b/link"));
  symlinkSync("../../keep", folder.at("tree/relative"));
  expect(await outside(op("remove_tree", ["cwd", folder.at("tree")]))).toBeUndefined();
  expect(await outside(op("remove_tree", ["cwd", folder.at("tree")]))).toBeUndefined();
  symlinkSync(folder.at("keep"), folder.at("top-link"));
  writeFileSync(folder.at("top-file"), "");
  expect(await outside(op("remove_tree", ["cwd", folder.at("top-link")]))).toBeUndefined();
  expect(await outside(op("remove_tree", ["cwd", folder.at("top-file")]))).toBeUndefined();
  expect(readdirSync(folder.path)).toEqual(["keep"]);
  expect(readdirSync(folder.at("keep"))).toEqual(["file"]);
});

/** Thousands of directories, each in the one before. */
function makeDeep(path: string, depth: number): void {
  const script = `import os,sys
os.chdir(sys.argv[1])
for i in range(int(sys.argv[2])):
    os.mkdir("deep"); os.chdir("deep")
open("bottom","w").write("x")`;
  const busybox = `cd "$0" && i=0; while [ $i -lt ${depth} ]; do mkdir deep && cd deep && i=$((i+1)); done; echo x > bottom`;
  const run = Bun.which("python3")
    ? Bun.spawnSync(["python3", "-c", script, path, `${depth}`])
    : Bun.spawnSync(["sh", "-c", busybox, path]);
  if (run.exitCode !== 0) throw new Error(run.stderr.toString());
}

test("a tree far deeper than a path can be is copied and removed", async () => {
  using folder = new Scratch();
  mkdirSync(folder.at("from"));
  mkdirSync(folder.at("to"));
  makeDeep(folder.at("from"), 3000);
  const failure = await outside(
    op("openat", ["cwd", folder.at("from"), O.directory, 0], { out: "from" }),
    op("openat", ["cwd", folder.at("to"), O.directory, 0], { out: "to" }),
    op("copy_tree", ["from", "to"]),
    op("remove_tree", ["cwd", folder.at("from")]),
  );
  expect(failure).toBeUndefined();
  expect(readdirSync(folder.at("to/deep/deep/deep"))).toEqual(["deep"]);
  expect(await outside(op("remove_tree", ["cwd", folder.at("to")]))).toBeUndefined();
  expect(readdirSync(folder.path)).toEqual([]);
});

root("what is mounted below a tree is not removed with it", async () => {
  using folder = new Scratch();
  mkdirSync(folder.at("tree/mount"), { recursive: true });
  mkdirSync(folder.at("tree/other"));
  const { report, output } = await run({
    outside: [op("clone", [CLONE.newns, "none", 1])],
    inside: [
      op("mount", ["", "/", "", (1 << 18) | 16384, ""]),
      op("mount", ["tmpfs", folder.at("tree/mount"), "tmpfs", 0, ""]),
      op("write_file", ["cwd", folder.at("tree/mount/precious"), text("x"), O.creat, 0o600]),
      op("remove_tree", ["cwd", folder.at("tree")], { tolerate: [E.BUSY] }),
      shell(`cd ${folder.path}; find tree`),
    ],
  });
  expect(report.failure).toBeUndefined();
  expect(output.trim().split("\n").sort()).toEqual(["tree", "tree/mount", "tree/mount/precious"]);
});

root("a copied directory's content comes without the directory's own mode and owner", async () => {
  using folder = new Scratch();
  for (const name of ["from", "to"]) mkdirSync(folder.at(name));
  mkdirSync(folder.at("from/dir"), { mode: 0o700 });
  chownSync(folder.at("from"), 7, 8);
  chmodSync(folder.at("to"), 0o1777);
  const failure = await outside(
    op("openat", ["cwd", folder.at("from"), O.path, 0], { out: "from" }),
    op("openat", ["cwd", folder.at("to"), O.path, 0], { out: "to" }),
    op("copy_tree", ["from", "to"]),
  );
  expect(failure).toBeUndefined();
  expect(lstatSync(folder.at("to"))).toMatchObject({ uid: 0, gid: 0, mode: 0o41777 });
  expect(lstatSync(folder.at("to/dir")).mode & 0o777).toBe(0o700);
});

root("a copy has owners, modes, times, attributes, holes, devices and links of what it is made of", async () => {
  using folder = new Scratch();
  const from = folder.at("from");
  mkdirSync(`${from}/dir`, { recursive: true });
  mkdirSync(folder.at("to"));
  writeFileSync(`${from}/file`, "content");
  linkSync(`${from}/file`, `${from}/dir/again`);
  symlinkSync("/nowhere", `${from}/link`);
  const prepare = `cd ${from}; truncate -s 64M sparse; printf x | dd of=sparse bs=1 seek=40000000 conv=notrunc 2>/dev/null
    mknod null c 1 3; mkfifo fifo; chmod 4711 file; chown 7:8 file dir; chown -h 9:10 link; chmod 1777 dir
    head -c 300000 /dev/urandom > random
    touch -d @1234567890.123456789 dir file random; touch -h -d @1000000000.5 link`;
  expect(Bun.spawnSync(["sh", "-c", prepare]).exitCode).toBe(0);
  const failure = await outside(
    op("openat", ["cwd", from, O.path, 0], { out: "from" }),
    op("openat", ["cwd", folder.at("to"), O.path, 0], { out: "to" }),
    op("copy_tree", ["from", "to"]),
  );
  expect(failure).toBeUndefined();
  const listing = (name: string) => {
    const format = "%P %y %m %U %G %s %T@ %l %n %b\\n";
    const find = Bun.spawnSync(["find", ".", "-mindepth", "1", "-printf", format], { cwd: folder.at(name) });
    return find.stdout.toString().trim().split("\n").sort();
  };
  expect(listing("to")).toEqual(listing("from"));
  expect(listing("to")).toHaveLength(8);
  expect(lstatSync(folder.at("to/file")).ino).toBe(lstatSync(folder.at("to/dir/again")).ino);
  expect(Bun.spawnSync(["diff", "-r", `${from}/random`, folder.at("to/random")]).exitCode).toBe(0);
  expect(Bun.spawnSync(["cmp", `${from}/sparse`, folder.at("to/sparse")]).exitCode).toBe(0);
});

testWith(
  { root: true, commands: ["python3"] },
  "a copy has the extended attributes of files, directories and links",
  async () => {
    using folder = new Scratch();
    const python = (script: string) => Bun.spawnSync(["python3", "-c", script], { cwd: folder.path });
    const made = python(`import os
os.mkdir("from"); os.mkdir("to"); open("from/f","w"); os.mkdir("from/d"); os.symlink("f","from/l")
os.setxattr("from/f","user.a",b"1"); os.setxattr("from/f","user.empty",b""); os.setxattr("from/d","trusted.b",b"\\x00\\xff"*300)
os.setxattr("from/l","trusted.c",b"3",follow_symlinks=False)
for i in range(60): os.setxattr("from/f","user.%040d"%i,b"v")`);
    expect(made.stderr.toString()).toBe("");
    expect(
      await outside(
        op("openat", ["cwd", folder.at("from"), O.path, 0], { out: "from" }),
        op("openat", ["cwd", folder.at("to"), O.path, 0], { out: "to" }),
        op("copy_tree", ["from", "to"]),
      ),
    ).toBeUndefined();
    const listed = (tree: string) =>
      python(`import os
for n in ("f","d","l"):
    p="${tree}/"+n
    print(n, sorted((a, os.getxattr(p,a,follow_symlinks=False)) for a in os.listxattr(p,follow_symlinks=False)))`);
    expect(listed("to").stdout.toString()).toBe(listed("from").stdout.toString());
    expect(listed("to").stdout.toString()).toContain("user.empty");
  },
);

testWith({ root: true }, "a node that is there already must be the same", async () => {
  using folder = new Scratch();
  const make = async (name: string, mode: number, device: number) =>
    (await run({ outside: [op("make_node", ["cwd", folder.at(name), mode, device])] })).report.failure?.errno;
  const [character, block, fifo, zero, none] = [0o20666, 0o60666, 0o10666, 0x105, 0x103];
  expect(await make("zero", character, zero)).toBeUndefined();
  expect(statSync(folder.at("zero")).rdev).toBe(zero);
  expect(await make("zero", character, zero)).toBeUndefined();
  expect(await make("zero", character, none)).toBe(E.EXIST);
  expect(await make("zero", block, zero)).toBe(E.EXIST);
  expect([await make("pipe", fifo, 0), await make("pipe", fifo, 0)]).toEqual([undefined, undefined]);
  symlinkSync("zero", folder.at("link"));
  writeFileSync(folder.at("file"), "");
  expect([await make("link", character, zero), await make("file", character, zero)]).toEqual([E.EXIST, E.EXIST]);
});
