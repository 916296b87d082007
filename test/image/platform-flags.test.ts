/** rmi and load with --platform: what is for another machine is left alone. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStore, type Store } from "../harness/galley.ts";
import { buildImage, buildIndex, writeLayout } from "../harness/image-builder.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { file } from "../harness/tar.ts";

const needs = { root: true };
const image = (architecture: string) =>
  buildImage({ layers: [{ entries: [file("a", architecture)] }], platform: { os: "linux", architecture } });

let store: Store;
let directory: string;
beforeAll(() => {
  if (missing(needs) !== undefined) return;
  store = createStore();
  directory = mkdtempSync(join(tmpdir(), "galley-platform-"));
  writeLayout(join(directory, "both"), "both:1", buildIndex([image("amd64"), image("arm64")]));
  writeLayout(join(directory, "one"), "one:1", image("amd64"));
});
afterAll(async () => {
  if (missing(needs) !== undefined) return;
  expect(await store.cleanup()).toEqual({ processes: [], mounts: [] });
  rmSync(directory, { recursive: true, force: true });
});

async function fails(says: string, ...words: readonly string[]): Promise<void> {
  const { status, stdout, stderr } = await store.galley(words);
  expect({ status, stdout, told: stderr.includes(says) ? says : stderr }).toEqual({
    status: 1,
    stdout: "",
    told: says,
  });
}

const architecture = (name: string) => store.ok(["image", "inspect", "-f", "{{.Architecture}}", name]);

describe("--platform", () => {
  testWith(needs, "load: the image of a list that is for it, or none", async () => {
    for (const wanted of ["arm64", "amd64"]) {
      const words = ["load", "-i", join(directory, "both"), "--platform", `linux/${wanted}`];
      expect(await store.ok(words)).toBe("Loaded image: both:1");
      expect(await architecture("both:1")).toBe(wanted);
      await store.ok(["rmi", "both:1"]);
    }
    await fails("linux/s390x", "load", "-i", join(directory, "both"), "--platform", "linux/s390x");
    await fails("linux/arm64", "load", "-i", join(directory, "one"), "--platform", "linux/arm64");
    expect(await store.ok(["images", "-q"])).toBe("");
    await store.ok(["load", "-i", join(directory, "one"), "--platform", "linux/amd64"]);
    expect(await architecture("one:1")).toBe("amd64");
  });

  testWith(needs, "rmi: an image that is for it, and no other", async () => {
    await fails("No such image: one:1 for linux/arm64", "rmi", "--platform", "linux/arm64", "one:1");
    expect(await architecture("one:1")).toBe("amd64");
    expect(await store.ok(["rmi", "--platform", "linux/amd64", "one:1"])).toStartWith("Untagged: one:1\nDeleted: ");
    expect((await store.galley(["image", "exists", "one:1"])).status).toBe(1);
    await fails("nonsense/", "rmi", "--platform", "nonsense/", "one:1");
  });
});
