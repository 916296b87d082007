import { afterAll, beforeAll, expect } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { missing, testWith } from "../harness/requirements.ts";
import { compareImage } from "./compare-image.ts";

const needs = { root: true, commands: ["umoci", "tar"] };
let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "galley-comparing-"));
});
afterAll(() => rmSync(base, { recursive: true }));

function umoci(...args: readonly string[]): void {
  const { success, stderr } = Bun.spawnSync(["umoci", ...args]);
  if (!success) throw new Error(`umoci ${args.join(" ")}: ${stderr}`);
}

/** An image by umoci, of what this machine has, with files that a layer replaces and removes. */
function makeImage(layout: string): void {
  umoci("init", "--layout", layout);
  const image = `${layout}:one`;
  umoci("new", "--image", image);
  for (const path of ["/etc", "/usr/share/zoneinfo", "/usr/share/perl5"]) {
    if (existsSync(path)) umoci("insert", "--image", image, path, path);
  }
  umoci("insert", "--image", image, "--whiteout", "/etc/ssl");
  umoci("insert", "--image", image, "--opaque", "/etc/apt", "/etc/default");
  umoci("insert", "--image", image, "/etc/passwd", "/etc/hostname");
}

testWith(
  needs,
  "an image by umoci is the same in every inode, mounted, as directories, and by GNU tar",
  async () => {
    const layout = join(base, "layout");
    if (missing(needs) === undefined) makeImage(layout);
    const { differences, layers, inodes, merged } = await compareImage(`oci:${layout}:one`);
    expect(differences).toEqual([]);
    expect(layers).toBeGreaterThanOrEqual(4);
    expect(inodes).toBeGreaterThan(500);
    expect(merged).toBeLessThan(inodes);
  },
  60_000,
);
