import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFileInRoot } from "./read-file-in-root.ts";

let base = "";
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "galley-read-"));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const read = (path: string, max = 100): string | undefined => {
  const bytes = readFileInRoot(base, path, max);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
};

test("a file is read, and no more of it than is wanted", () => {
  writeFileSync(join(base, "file"), "content");
  expect(read("/file")).toBe("content");
  expect(read("file", 4)).toBe("cont");
  writeFileSync(join(base, "empty"), "");
  expect(read("empty")).toBe("");
});

test("links stay below the root", () => {
  writeFileSync(join(base, "file"), "inner");
  symlinkSync("/file", join(base, "link"));
  symlinkSync("../../../../../../etc/hostname", join(base, "out"));
  symlinkSync("loop", join(base, "loop"));
  symlinkSync("/proc/self/root/etc/passwd", join(base, "magic"));
  expect(read("link")).toBe("inner");
  expect([read("out"), read("loop"), read("magic"), read("nosuch")]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test("what is no regular file is not opened", () => {
  expect(Bun.spawnSync(["mkfifo", join(base, "fifo")]).exitCode).toBe(0);
  mkdirSync(join(base, "directory"));
  expect([read("fifo"), read("directory")]).toEqual([undefined, undefined]);
});

test("a file of terabytes costs what is wanted of it", () => {
  writeFileSync(join(base, "huge"), "");
  truncateSync(join(base, "huge"), 2 ** 42);
  expect(readFileInRoot(base, "huge", 1000)?.length).toBe(1000);
});
