/** Flags of pull that say what is pulled: all tags, for which machine, and whether at all. */
import { afterAll, beforeAll, beforeEach, describe, expect } from "bun:test";
import { createStore, type Store } from "../harness/galley.ts";
import { buildImage, buildIndex } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { file } from "../harness/tar.ts";

const needs = { root: true, commands: ["docker-registry"] };
const image = (architecture: string, variant?: string, content = "x") =>
  buildImage({
    layers: [{ entries: [file("a", content)] }],
    platform: { os: "linux", architecture, ...(variant === undefined ? {} : { variant }) },
  });

let registry: Registry;
let store: Store;
let app: string;
beforeAll(async () => {
  if (missing(needs) !== undefined) return;
  registry = await startRegistry();
  store = createStore();
  app = `${registry.host}/team/app`;
  await registry.push("team/app", "1", image("amd64"));
  await registry.push("team/app", "2", image("amd64", undefined, "two"));
  await registry.push(
    "team/list",
    "1",
    buildIndex([image("amd64"), image("arm", "v6"), image("arm", "v7"), image("s390x")]),
  );
});
beforeEach(async () => {
  if (missing(needs) === undefined) await store.ok(["image", "prune", "-af"]);
});
afterAll(async () => {
  if (missing(needs) !== undefined) return;
  await registry.stop();
  expect(await store.cleanup()).toEqual({ processes: [], mounts: [] });
});

const ok = (...args: readonly string[]) => store.ok(args);
const tags = async () => (await ok("images", "--format", "{{.Tag}}")).split("\n").filter(Boolean).sort();

async function refused(says: string, ...args: readonly string[]): Promise<void> {
  const { status, stderr } = await store.galley(["pull", ...args]);
  expect({ status, told: stderr.includes(says) ? says : stderr }).toEqual({ status: 1, told: says });
}

describe("pull", () => {
  testWith(needs, "--all-tags, -a: each of the repository, told as docker does", async () => {
    const said = await ok("pull", "--all-tags", app);
    for (const tag of ["1", "2"]) expect(said).toMatch(new RegExp(`^${tag}: Pulling from team/app$`, "m"));
    expect(said.match(/^Digest: sha256:/gm)).toHaveLength(2);
    expect(said).toEndWith(`\nStatus: Downloaded newer image for ${app}\n${app}`);
    expect(await tags()).toEqual(["1", "2"]);
    expect(await ok("pull", "-a", app)).toEndWith(`\nStatus: Image is up to date for ${app}\n${app}`);
    expect(await ok("pull", "-a", "-q", app)).toBe(app);
    await refused("tag can't be used with --all-tags", "-a", `${app}:1`);
    await refused("team/nosuch", "-a", `${registry.host}/team/nosuch`);
  });

  testWith(needs, "--arch, --os, --variant: for another machine", async () => {
    const list = `${registry.host}/team/list:1`;
    const shown = (...flags: readonly string[]) =>
      ok("pull", "-q", ...flags, list).then(() => ok("inspect", "-f", "{{.Os}} {{.Architecture}} {{.Variant}}", list));
    expect(await shown("--arch", "s390x")).toBe("linux s390x ");
    expect(await shown("--os", "linux", "--arch", "arm", "--variant", "v6")).toBe("linux arm v6");
    expect(await shown("--arch", "arm", "--variant", "v7")).toBe("linux arm v7");
    await refused("plan9", "--os", "plan9", list);
    await refused("can not be specified with", "--platform", "linux/arm", "--arch", "arm", list);
  });

  testWith(needs, "--policy: always, when it is missing, never, or if there is something newer", async () => {
    const name = `${registry.host}/moving/app:1`;
    const first = await registry
      .push("moving/app", "1", image("amd64", undefined, "first"))
      .then(() => ok("pull", "-q", name));
    expect(first).toBe(name);
    const id = () => ok("images", "-q", name);
    const before = await id();
    await registry.push("moving/app", "1", image("amd64", undefined, "second"));
    for (const policy of ["missing", "never"]) expect(await ok("pull", "-q", "--policy", policy, name)).toBe(name);
    expect(await id()).toBe(before);
    await ok("pull", "-q", "--policy", "newer", name);
    const after = await id();
    expect(after).not.toBe(before);
    await registry.push("moving/app", "1", image("amd64", undefined, "third"));
    await ok("pull", "-q", "--policy", "always", name);
    expect(await id()).not.toBe(after);
    await refused("No such image", "--policy", "never", `${app}:1`);
    await ok("pull", "-q", "--policy", "missing", `${app}:1`);
    await refused("unsupported pull policy", "--policy", "sometimes", name);
    // What cannot be asked about is as new as it is.
    await ok("tag", name, "127.0.0.1:1/held:1");
    expect(await ok("pull", "-q", "--policy", "newer", "127.0.0.1:1/held:1")).toBe("127.0.0.1:1/held:1");
    await refused("nothing answers there", "-q", "--policy", "newer", "127.0.0.1:1/other:1");
  });
});
