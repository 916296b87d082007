/** Flags of the image commands that podman has beyond docker's, and those that are about another machine. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { createStore, type Store } from "../harness/galley.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { file, tar } from "../harness/tar.ts";

const needs = { root: true };

let store: Store;
beforeAll(async () => {
  if (missing(needs) !== undefined) return;
  store = createStore();
  await imported("b:1", "x".repeat(3000), "--arch", "arm64");
  await imported("a:2", "x".repeat(9000), "--platform", "linux/s390x");
  await imported("c:3", "x".repeat(6000), "--os", "linux", "--arch", "arm", "--variant", "v6", "-q");
});
afterAll(async () => {
  if (missing(needs) === undefined) expect(await store.cleanup()).toEqual({ processes: [], mounts: [] });
});

const ok = (...args: readonly string[]) => store.ok(args);
const imported = (name: string, content: string, ...flags: readonly string[]) =>
  store.ok(["import", ...flags, "-", name], { stdin: tar([file("a", content)]) });

async function refused(says: string, ...args: readonly string[]): Promise<void> {
  const { status, stdout, stderr } = await store.galley(args);
  expect({ status, told: stderr.includes(says) ? says : `${stdout}${stderr}` }).toEqual({ status: 1, told: says });
}

testWith(needs, "import --arch, --os, --variant, --quiet: what the image is for", async () => {
  const shown = (name: string) => ok("image", "inspect", "-f", "{{.Os}} {{.Architecture}} {{.Variant}}", name);
  expect(await shown("b:1")).toBe("linux arm64 ");
  expect(await shown("a:2")).toBe("linux s390x ");
  expect(await shown("c:3")).toBe("linux arm v6");
  expect(await imported("d:4", "d", "--quiet")).toStartWith("sha256:");
  await ok("rmi", "d:4");
  const both = ["--platform", "linux/arm", "--arch", "arm"];
  await refused("can not be specified with", "import", ...both, "-", "d:4");
});

describe("images", () => {
  const tags = (...flags: readonly string[]) =>
    ok("images", ...flags, "--format", "{{.Tag}}").then((text) => text.split("\n").join(""));

  testWith(needs, "--sort: by name, tag, size, ID or time", async () => {
    expect(await tags("--sort", "repository")).toBe("213");
    expect(await tags("--sort", "tag")).toBe("123");
    expect(await tags("--sort", "size")).toBe("132");
    expect(await tags("--sort", "created")).toBe(await tags());
    const ids = (await ok("images", "-q", "--no-trunc", "--sort", "id")).split("\n");
    expect(ids).toHaveLength(3);
    expect(ids).toEqual(ids.toSorted());
    await refused("is an invalid sort", "images", "--sort", "colour");
  });

  testWith(needs, "--noheading, -n: rows alone", async () => {
    const table = ["images", "--format", "table {{.Repository}}\t{{.Tag}}"];
    const [heading, ...rows] = (await ok(...table)).split("\n");
    expect(heading).toStartWith("REPOSITORY");
    expect(rows).toHaveLength(3);
    for (const flag of ["--noheading", "-n"]) expect((await ok(...table, flag)).split("\n")).toEqual(rows);
    expect((await ok("images", "-n")).split("\n")).toHaveLength(3);
    expect(await ok("images", "-n", "--format", "{{.Tag}}", "--sort", "tag")).toBe("1\n2\n3");
  });
});

testWith(needs, "history and image inspect --platform: of an image that is for it, or of none", async () => {
  for (const words of [
    ["history", "-q"],
    ["image", "inspect"],
  ]) {
    const whole = await ok(...words, "b:1");
    expect(await ok(...words, "--platform", "linux/arm64", "b:1")).toBe(whole);
    await refused("No such image: b:1 for linux/s390x", ...words, "--platform", "linux/s390x", "b:1");
    await refused("is not a platform", ...words, "--platform", "/", "b:1");
  }
});

describe("rmi", () => {
  testWith(needs, "--ignore, -i: what is not there is not missed", async () => {
    await refused("No such image: nosuch", "rmi", "nosuch");
    for (const flag of ["--ignore", "-i"]) expect(await ok("rmi", flag, "nosuch")).toBe("");
    await imported("gone:1", "gone");
    expect(await ok("rmi", "-i", "nosuch", "gone:1")).toStartWith("Untagged: gone:1\nDeleted: ");
  });

  testWith(needs, "--all, -a: images by all their names, and lists; not those in use", async () => {
    await refused("may not pass any images", "rmi", "--all", "b:1");
    await refused("requires at least 1 argument", "rmi");
    await ok("tag", "b:1", "elsewhere.example/b:1");
    await ok("manifest", "create", "list:1", "b:1");
    const user = await ok("create", "c:3", "/a");
    await refused("is using its referenced image", "rmi", "-a");
    expect(await ok("images", "--format", "{{.Repository}}:{{.Tag}}")).toBe("c:3");
    await ok("rm", user);
    expect(await ok("rmi", "--all")).toContain("Untagged: c:3");
    expect(await ok("images", "-q")).toBe("");
    expect(await ok("rmi", "--all")).toBe("");
  });
});
