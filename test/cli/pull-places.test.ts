/** `pull TRANSPORT:…`, and `push` of an image by its ID: other places than registries, as podman has them. */
import { afterAll, beforeAll, expect, setDefaultTimeout } from "bun:test";
import { join } from "node:path";
import { createStore, type Store } from "../harness/galley.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { file, tar } from "../harness/tar.ts";

setDefaultTimeout(60_000);

const needs = { root: true };

let store: Store;
let id: string;
beforeAll(async () => {
  if (missing(needs) !== undefined) return;
  store = createStore();
  id = await store.ok(["import", "-", "moved:1"], { stdin: tar([file("a", "a")]) });
});
afterAll(async () => {
  if (missing(needs) === undefined) expect(await store.cleanup()).toEqual({ processes: [], mounts: [] });
});

const ok = (...args: readonly string[]) => store.ok(args);
const at = (name: string) => join(store.home, name);

/** Pulls into a store without images; gives the names that are there then. */
async function pulled(place: string, ...flags: readonly string[]): Promise<string> {
  await ok("rmi", "--all");
  expect(await ok("pull", ...flags, place)).toBe(id);
  return ok("images", "--format", "{{.Repository}}:{{.Tag}}");
}

testWith(needs, "archives, layouts and directories, under the names that they know; pushed by ID", async () => {
  const short = id.slice("sha256:".length, 19);
  await ok("push", "-q", short, `docker-archive:${at("a.tar")}:told/name:2`);
  await ok("push", "-q", short, `oci-archive:${at("o.tar")}:whole/name:3`);
  await ok("push", "-q", id, `oci:${at("layout")}:four`);
  await ok("push", "-q", short, `dir:${at("plain")}`);
  expect(await pulled(`docker-archive:${at("a.tar")}`)).toBe("told/name:2");
  expect(await pulled(`docker-archive:${at("a.tar")}:told/name:2`, "-q")).toBe("told/name:2");
  expect(await pulled(`oci-archive:${at("o.tar")}`)).toBe("whole/name:3");
  expect(await pulled(`oci:${at("layout")}:four`)).toBe("four:latest");
  expect(await pulled(`oci:${at("layout")}`)).toBe("<none>:<none>");
  expect(await pulled(`dir:${at("plain")}`)).toBe("<none>:<none>");
});

testWith(needs, "what is not there, or not for the machine, is refused", async () => {
  const refused = async (says: string, ...args: readonly string[]) =>
    expect(await store.galley(args)).toMatchObject({ status: 1, stderr: expect.stringContaining(says) });
  await refused("holds no index.json", "pull", `oci:${at("nosuch")}`);
  await refused("holds no image", "pull", `docker-archive:${at("a.tar")}:nosuch:1`);
  await refused("need not be pulled", "pull", "containers-storage:moved:1");
  await refused("is not for linux/s390x", "pull", "--platform", "linux/s390x", `docker-archive:${at("a.tar")}`);
});

testWith(needs, "images: of several names only those that were asked for", async () => {
  await ok("pull", "-q", `docker-archive:${at("a.tar")}`);
  await ok("tag", "told/name:2", "told/name:3");
  await ok("tag", "told/name:2", "other:1");
  const shown = async (...args: readonly string[]) =>
    (await ok("images", "--format", "{{.Repository}}:{{.Tag}}", ...args)).split("\n").sort();
  expect(await shown("told/name:3")).toEqual(["told/name:3"]);
  expect(await shown("told/*")).toEqual(["told/name:2", "told/name:3"]);
  expect(await shown("-f", "reference=other", "-f", "reference=*:3")).toEqual(["other:1"]);
  expect(await shown("-f", `id=${id.slice(7, 12)}`, "other")).toEqual(["other:1"]);
  expect(await shown("-f", "containers=true")).toEqual([""]);
});
