import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mkdirat, mknodat, S } from "../sys/sys.ts";
import { Cursor, copyTree, Root, removeTree, splitPath, walk } from "./fs-at.ts";

let outside: string;
let base: string;
let root: Root;
beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), "galley-fs-at-"));
  base = join(outside, "root");
  mkdirSync(base);
  writeFileSync(join(outside, "secret"), "secret");
  root = Root.open(base);
});
afterEach(() => {
  root.close();
  rmSync(outside, { recursive: true, force: true });
});

describe("splitPath", () => {
  test.each([
    ["a", ".", "a"],
    ["/a", "/", "a"],
    ["a/b//", "a", "b"],
    ["/", "/", undefined],
    ["", "", undefined],
    ["a/..", "a/..", undefined],
    ["a/.", "a/.", undefined],
  ] as const)("%p", (path, parent, name) => {
    expect(splitPath(path)).toEqual({ parent, name });
  });
});

describe("Root", () => {
  test("reads and writes below itself whatever links say", () => {
    symlinkSync("../secret", join(base, "up"));
    symlinkSync(join(outside, "secret"), join(base, "absolute"));
    expect(() => root.readFile("up", 100)).toThrow("ENOENT");
    expect(() => root.readFile("absolute", 100)).toThrow("ENOENT");
    root.writeFile("up", "mine");
    expect(readFileSync(join(base, "secret"), "utf8")).toBe("mine");
    expect(readFileSync(join(outside, "secret"), "utf8")).toBe("secret");
  });

  test("reads at most what it was allowed", () => {
    root.writeFile("f", "12345", { mode: 0o4750 });
    expect(Buffer.from(root.readFile("f", 5)).toString()).toBe("12345");
    expect(() => root.readFile("f", 4)).toThrow("larger than 4 bytes");
    expect(root.stat("f")).toMatchObject({ mode: 0o4750, size: 5 });
  });

  test("reads files of procfs, whose size is 0", () => {
    using proc = Root.open("/proc/self");
    expect(proc.readFile("status", 65536).length).toBeGreaterThan(500);
  });

  test("does not open what is no file", () => {
    mknodat(root.fd, "pipe", S.IFIFO | 0o600);
    expect(() => root.readFile("pipe", 10)).toThrow("fifo");
    expect(() => root.writeFile("pipe", "x")).toThrow("fifo");
    expect(() => root.readFile(".", 10)).toThrow("directory");
  });

  test("replaces the content of a file and keeps its mode", () => {
    root.writeFile("f", "long content", { mode: 0o600 });
    root.writeFile("f", "short", { mode: 0o644 });
    expect(readFileSync(join(base, "f"), "utf8")).toBe("short");
    expect(root.stat("f").mode).toBe(0o600);
  });

  test("tells a link from what it leads to", () => {
    root.writeFile("f", "x");
    symlinkSync("f", join(base, "l"));
    expect(root.stat("l").type).toBe("file");
    expect(root.stat("l", { follow: false }).type).toBe("symlink");
    expect(root.readlink("l")).toBe("f");
    expect(root.tryStat("f/below")).toBeUndefined();
    expect(root.tryStat("gone", { follow: false })).toBeUndefined();
  });

  test("makes directories through links, also dangling ones, below itself", () => {
    symlinkSync("/run", join(base, "var-run"));
    root.mkdir("var-run/a/b", { mode: 0o711 });
    expect(root.stat("run/a/b").mode).toBe(0o711);
    root.mkdir("../../x/../y");
    expect(readdirSync(base).sort()).toEqual(["run", "var-run", "x", "y"]);
    symlinkSync("loop", join(base, "loop"));
    expect(() => root.mkdir("loop/a")).toThrow("ELOOP");
    root.writeFile("f", "");
    expect(() => root.mkdir("f/a")).toThrow("ENOTDIR");
  });

  test("renames without following", () => {
    symlinkSync("/etc", join(base, "l"));
    root.rename("l", "m");
    expect(root.readlink("m")).toBe("/etc");
    expect(() => root.rename("m", "..")).toThrow("EINVAL");
  });
});

describe("removeTree", () => {
  test("removes links and not what they lead to", () => {
    mkdirSync(join(base, "d/e"), { recursive: true });
    symlinkSync(outside, join(base, "d/e/out"));
    symlinkSync("d", join(base, "link"));
    removeTree(root, "link");
    expect(existsSync(join(base, "d/e"))).toBe(true);
    removeTree(root, "d");
    expect(readdirSync(base)).toEqual([]);
    expect(existsSync(join(outside, "secret"))).toBe(true);
  });

  test("is content with nothing, and refuses the root itself", () => {
    removeTree(root, "gone/for/ever");
    for (const path of ["/", ".", "..", "a/.."]) expect(() => removeTree(root, path)).toThrow("EINVAL");
  });

  test("removes directories that their mode closes", () => {
    mkdirSync(join(base, "closed/inner"), { recursive: true });
    chmodSync(join(base, "closed/inner"), 0);
    chmodSync(join(base, "closed"), 0o500);
    chmodSync(join(base, "closed"), 0);
    removeTree(root, "closed");
    expect(readdirSync(base)).toEqual([]);
  });

  test("removes trees deeper than descriptors, stack and PATH_MAX allow", () => {
    const cursor = new Cursor(root.open("/", 0));
    for (let i = 0; i < 3000; i++) {
      mkdirat(cursor.fd, "deeper", 0o755);
      cursor.enter("deeper");
    }
    cursor[Symbol.dispose]();
    removeTree(root, "deeper");
    expect(readdirSync(base)).toEqual([]);
  }, 60_000);
});

describe("walk", () => {
  test("visits a directory before and after its content, in order", () => {
    mkdirSync(join(base, "b/c"), { recursive: true });
    writeFileSync(join(base, "a"), "");
    symlinkSync("b", join(base, "d"));
    expect([...walk(root)].map((entry) => `${entry.kind} ${entry.path}`)).toEqual([
      "enter ",
      "other a",
      "enter b",
      "enter b/c",
      "leave b/c",
      "leave b",
      "other d",
      "leave ",
    ]);
  });

  test("notices a directory that is moved away under it", () => {
    mkdirSync(join(base, "one/two"), { recursive: true });
    mkdirSync(join(base, "other"));
    const cursor = new Cursor(root.open("/", 0));
    cursor.enter("one");
    cursor.enter("two");
    root.rename("one/two", "other/two");
    expect(() => cursor.leave()).toThrow("moved");
    cursor[Symbol.dispose]();
  });
});

describe("copyTree", () => {
  test("keeps modes, times, links and holes, and stays inside", async () => {
    mkdirSync(join(base, "from/sub"), { recursive: true });
    writeFileSync(join(base, "from/sub/f"), "content", { mode: 0o640 });
    linkSync(join(base, "from/sub/f"), join(base, "from/g"));
    symlinkSync("../../../secret", join(base, "from/l"));
    writeFileSync(join(base, "from/sparse"), "start");
    truncateSync(join(base, "from/sparse"), 16 << 20);
    mknodat(root.fd, "from/pipe", S.IFIFO | 0o600);
    chmodSync(join(base, "from/sub"), 0o2750);
    utimesSync(join(base, "from/sub"), 1000, 2000.5);
    mkdirSync(join(base, "to/g"), { recursive: true });
    await copyTree(root, "from", root, "to");
    const copy = (name: string) => lstatSync(join(base, "to", name), { bigint: true });
    expect(copy("g").ino).toBe(copy("sub/f").ino);
    expect(copy("g").mode & 0o7777n).toBe(0o640n);
    expect(root.readlink("to/l")).toBe("../../../secret");
    expect(copy("sparse").size).toBe(16n << 20n);
    expect(Number(copy("sparse").blocks)).toBeLessThan(100);
    expect(root.stat("to/pipe").type).toBe("fifo");
    expect(copy("sub").mode & 0o7777n).toBe(0o2750n);
    expect(copy("sub").mtimeNs).toBe(2_000_500_000_000n);
    expect(Buffer.from(root.readFile("to/sub/f", 100)).toString()).toBe("content");
  });

  test("stops when it is called off", async () => {
    mkdirSync(join(base, "from"));
    mkdirSync(join(base, "to"));
    for (let i = 0; i < 600; i++) writeFileSync(join(base, "from", String(i)), "");
    const signal = AbortSignal.abort();
    await expect(copyTree(root, "from", root, "to", { signal })).rejects.toMatchObject({ code: "canceled" });
  });
});
