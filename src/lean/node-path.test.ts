import { expect, test } from "bun:test";
import { posix as real } from "node:path";
import { posix as lean } from "./node-path.ts";

const paths = [
  "",
  "/",
  ".",
  "..",
  "a",
  "/a",
  "a/",
  "/a/b/",
  "a/../b",
  "../a",
  "/..",
  "//a//b",
  "./a/./b",
  "/a/../../b",
  "a/b/../../..",
];

test.each(paths)("functions of %j give what node:path gives", (path) => {
  for (const name of ["normalize", "dirname", "basename", "isAbsolute", "resolve"] as const) {
    expect([name, lean[name](path)]).toEqual([name, real[name](path)]);
  }
  for (const other of paths) {
    expect(lean.join(path, other)).toBe(real.join(path, other));
    expect(lean.resolve(path, other)).toBe(real.resolve(path, other));
    expect(lean.relative(path, other)).toBe(real.relative(path, other));
  }
});
