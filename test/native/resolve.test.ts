import { expect, test } from "bun:test";
import { existsSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { resolveKind } from "../../src/recipe/ops.ts";
import { E, O, op, run, Scratch } from "./program.ts";

/** Resolves `path` below `root` and makes a file beside what was found, to see where it leads. */
async function resolve(root: string, path: string, kind: number, mode = 0o750): Promise<number> {
  const { report } = await run({
    outside: [
      op("openat", ["cwd", root, O.path | O.directory, 0], { out: "root" }),
      op("resolve", ["root", path, kind, mode], { out: "found" }),
      op("mkdirat", ["found", "here", 0o755], { tolerate: [E.NOTDIR, E.EXIST] }),
    ],
  });
  expect(report.failure?.step ?? 1).toBe(1);
  return report.failure?.errno ?? 0;
}

/** A root whose neighbour must stay as it is. */
class Jail extends Scratch {
  constructor() {
    super();
    mkdirSync(this.at("root"));
    mkdirSync(this.at("outside"));
  }

  get root(): string {
    return this.at("root");
  }

  untouched(): void {
    expect(readdirSync(this.path).sort()).toEqual(["outside", "root"]);
    expect(readdirSync(this.at("outside"))).toEqual([]);
  }
}

test("existing paths are found, missing ones are not made", async () => {
  using jail = new Jail();
  mkdirSync(jail.at("root", "a", "b"), { recursive: true });
  expect(await resolve(jail.root, "/a/b", resolveKind.existing)).toBe(0);
  expect(existsSync(jail.at("root", "a", "b", "here"))).toBe(true);
  expect(await resolve(jail.root, "a/c", resolveKind.existing)).toBe(E.NOENT);
  expect(await resolve(jail.root, "/", resolveKind.existing)).toBe(0);
});

test("missing directories and files are made with their mode, parents with 0755", async () => {
  using jail = new Jail();
  expect(await resolve(jail.root, "/x/./y//z/", resolveKind.directory)).toBe(0);
  expect(statSync(jail.at("root/x/y/z")).mode & 0o7777).toBe(0o750);
  expect(statSync(jail.at("root/x/y")).mode & 0o7777).toBe(0o755);
  expect(existsSync(jail.at("root/x/y/z/here"))).toBe(true);
  expect(await resolve(jail.root, "/x/file", resolveKind.file, 0o640)).toBe(0);
  expect(statSync(jail.at("root/x/file")).isFile()).toBe(true);
  expect(statSync(jail.at("root/x/file")).mode & 0o7777).toBe(0o640);
});

test("a path that ends in a file where a directory is wanted is an error", async () => {
  using jail = new Jail();
  writeFileSync(jail.at("root", "file"), "");
  expect(await resolve(jail.root, "/file", resolveKind.directory)).toBe(E.NOTDIR);
  expect(await resolve(jail.root, "/file/below", resolveKind.directory)).toBe(E.NOTDIR);
});

const escapes: readonly (readonly [link: string, target: string, path: string, made: string])[] = [
  ["abs", "/outside", "/abs/d", "outside/d"],
  ["up", "../../../outside", "/up/d", "outside/d"],
  ["dangling", "/a/b/c", "/dangling", "a/b/c"],
  ["chain", "chain2/x", "/chain/d", "../root/other/x/d"],
  ["dots", "/..//./e/..", "/dots/f", "f"],
  ["trailing", "g/", "/trailing/h", "g/h"],
];

for (const [link, target, path, made] of escapes) {
  test(`a link to ${target} is followed inside the root, and what it means is made there`, async () => {
    using jail = new Jail();
    symlinkSync(target, jail.at("root", link));
    symlinkSync("/other", jail.at("root", "chain2"));
    expect(await resolve(jail.root, path, resolveKind.directory)).toBe(0);
    expect(statSync(jail.at("root", made, "here")).isDirectory()).toBe(true);
    expect(lstatSync(jail.at("root", link)).isSymbolicLink()).toBe(true);
    jail.untouched();
  });
}

test("a path of dots stays below the root", async () => {
  using jail = new Jail();
  expect(await resolve(jail.root, "../../../../a/../b/../../../c", resolveKind.directory)).toBe(0);
  expect(existsSync(jail.at("root", "c", "here"))).toBe(true);
  jail.untouched();
});

test("a file is made at the end of a dangling link", async () => {
  using jail = new Jail();
  symlinkSync("/../run/resolv.conf", jail.at("root", "resolv.conf"));
  expect(await resolve(jail.root, "/resolv.conf", resolveKind.file)).toBe(0);
  expect(statSync(jail.at("root/run/resolv.conf")).isFile()).toBe(true);
  jail.untouched();
});

test("links that lead in a circle, and names too long, end in errors", async () => {
  using jail = new Jail();
  symlinkSync("b", jail.at("root", "a"));
  symlinkSync("a/x", jail.at("root", "b"));
  expect(await resolve(jail.root, "/a", resolveKind.directory)).toBe(E.LOOP);
  expect(await resolve(jail.root, `/${"n".repeat(300)}`, resolveKind.directory)).toBe(36);
  expect(await resolve(jail.root, `/${"d/".repeat(3000)}`, resolveKind.directory)).toBe(36);
  jail.untouched();
});

test("what is missing is made in the likeness of something else", async () => {
  using folder = new Scratch();
  writeFileSync(folder.at("file"), "");
  const { report } = await run({
    outside: [
      op("openat", ["cwd", folder.path, O.path | O.directory, 0], { out: "root" }),
      op("openat", ["cwd", folder.at("file"), O.path, 0], { out: "file" }),
      op("resolve_like", ["root", "/a/file", "file", 0o644], { out: "found" }),
      op("resolve_like", ["root", "/a/directory", "root", 0o755], { out: "found" }),
      op("resolve_like", ["root", "/x", "nothing", 0o755], { out: "found" }),
    ],
  });
  expect(report.failure).toEqual({ section: "outside", step: 4, errno: E.BADF });
  expect(lstatSync(folder.at("a", "file")).isFile()).toBeTrue();
  expect(lstatSync(folder.at("a", "directory")).isDirectory()).toBeTrue();
});
