/** image exists, untag, tree, diff, mount, unmount: as a person calls them. */
import { beforeAll, describe, expect } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { missing, testWith } from "../harness/requirements.ts";
import { fileStore } from "./container-flags.ts";

const needs = { root: true };
const store = fileStore();
const ok = (...args: readonly string[]) => store().ok(args);

async function fails(says: string, ...args: readonly string[]): Promise<void> {
  const { status, stderr } = await store().galley(args);
  expect(stderr).toContain(says);
  expect(status).toBe(125);
}

/** An image with what a script does on top of another. */
async function grown(base: string, name: string, script: string): Promise<string> {
  await ok("run", "--name", "grow", base, "sh", "-c", script);
  const id = await ok("commit", "grow", name);
  await ok("rm", "grow");
  return id;
}

let one: string;
let two: string;
beforeAll(async () => {
  if (missing(needs) !== undefined) return;
  one = await grown("busybox", "grown:1", "echo 1 > /one; mkdir /d; echo x > /d/x");
  two = await grown("grown:1", "grown:2", "echo 2 > /two; rm /one; chmod 700 /d");
});

testWith(needs, "image exists says so by its status", async () => {
  expect((await store().galley(["image", "exists", "grown:1"])).status).toBe(0);
  expect((await store().galley(["image", "exists", one.slice(7, 15)])).status).toBe(0);
  expect((await store().galley(["image", "exists", "nosuch"])).status).toBe(1);
  await fails("invalid reference format", "image", "exists", "Bad Name");
});

testWith(needs, "untag takes one name, or all; the image stays", async () => {
  await ok("tag", "grown:1", "other/name:a");
  await ok("tag", "grown:1", "other/name:b");
  expect(await ok("untag", "grown:1", "other/name:a")).toBe("");
  await fails("tag not known", "image", "untag", "grown:1", "other/name:a");
  await ok("untag", one);
  expect(await ok("images", "-q", "-f", "dangling=true")).toBe(one.slice(7, 19));
  await ok("tag", one, "grown:1");
  await fails("No such image: nosuch:latest", "untag", "nosuch");
});

testWith(needs, "image tree: its layers, and with --whatrequires what stands on them", async () => {
  const text = await ok("image", "tree", "grown:2");
  expect(text).toMatch(/^Image ID: [0-9a-f]{12}\nTags: {5}\[grown:2\]\nSize: {5}[0-9.]+MB\nImage Layers\n/);
  expect(text).toMatch(/├── ID: [0-9a-f]{12} Size: [0-9.]+MB Top Layer of: \[busybox:latest\]/);
  expect(text).toMatch(/├── ID: [0-9a-f]{12} Size: 4B Top Layer of: \[grown:1\]/);
  expect(text).toMatch(/└── ID: [0-9a-f]{12} Size: 2B Top Layer of: \[grown:2\]/);
  expect(await ok("image", "tree", "busybox")).not.toContain("grown");
  expect(await ok("image", "tree", "--whatrequires", "busybox")).toContain("Top Layer of: [grown:2]");
  await fails("No such image", "image", "tree", "nosuch");
});

describe("image diff", () => {
  testWith(needs, "of the topmost layer", async () => {
    expect(await ok("image", "diff", "grown:2")).toBe("C /d\nD /one\nA /two");
    expect(JSON.parse(await ok("image", "diff", "--format", "json", "grown:1"))).toEqual({
      added: ["/d", "/d/x", "/one"],
    });
    expect((await ok("image", "diff", "busybox")).split("\n")).toContain("A /bin/busybox");
    await fails("only supported value", "image", "diff", "--format", "{{.}}", "grown:1");
  });
  testWith(needs, "between two images, either way", async () => {
    expect(await ok("image", "diff", "grown:2", "busybox")).toBe("A /d\nA /d/x\nA /two");
    expect(await ok("image", "diff", "busybox", "grown:2")).toBe("D /d\nD /two");
  });
});

describe("image mount", () => {
  testWith(needs, "shows the files, not to be written, as often as it is mounted", async () => {
    const point = await ok("image", "mount", "grown:2");
    expect(readFileSync(join(point, "two"), "utf8")).toBe("2\n");
    expect(existsSync(join(point, "one"))).toBe(false);
    expect(() => writeFileSync(join(point, "new"), "")).toThrow("EROFS");
    expect(await ok("image", "mount", "grown:2")).toBe(point);
    expect((await ok("image", "mount")).split(/ +/)).toEqual(["grown:2", point]);
    const [listed] = JSON.parse(await ok("image", "mount", "--format", "json"));
    expect(listed).toMatchObject({ id: two.slice(7), Repositories: ["grown:2"], mountpoint: point });
    expect(await ok("image", "unmount", "grown:2")).toBe(two.slice(7));
    expect(existsSync(join(point, "two"))).toBe(true);
    expect(await ok("image", "umount", two)).toBe(two.slice(7));
    expect(existsSync(point)).toBe(false);
    await fails("image not mounted", "image", "unmount", "grown:2");
  });

  testWith(needs, "keeps the image from being removed", async () => {
    const point = await ok("image", "mount", "grown:2");
    const removal = await store().galley(["rmi", "grown:2"]);
    expect(removal.stderr).toContain("galley image unmount");
    expect(removal.status).toBe(1);
    expect((await store().galley(["rmi", "-f", two])).stderr).toContain("image is mounted");
    await ok("image", "prune", "-af");
    expect(readFileSync(join(point, "two"), "utf8")).toBe("2\n");
    expect(await ok("image", "unmount", "--force", "grown:2")).toBe(two.slice(7));
  });

  testWith(needs, "of all images, and the end of all", async () => {
    await grown("grown:2", "grown:3", "echo 3 > /three");
    const lines = (await ok("image", "mount", "--all")).split("\n");
    expect(lines).toHaveLength((await ok("images", "-q")).split("\n").length);
    expect((await ok("image", "unmount", "--all")).split("\n")).toHaveLength(lines.length);
    expect(await ok("image", "mount")).toBe("");
    await fails("image name or ID must be specified", "image", "unmount");
    await fails("--all", "image", "mount", "--all", "grown:3");
  });
});
