/** pull, images, history, tag, rmi, prune, commit, export, import, save, load: as a person calls them. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ImageManifest } from "../../src/spec/image.ts";
import { busyboxImage } from "../harness/fixtures.ts";
import { type BuiltImage, buildImage, buildIndex } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { file } from "../harness/tar.ts";
import { fileStore } from "./container-flags.ts";

const needs = { root: true, commands: ["docker-registry"] };
const store = fileStore();
let registry: Registry;
let one: BuiltImage;
let repository: string;
let imageId: string;

beforeAll(async () => {
  if (missing(needs) !== undefined) return;
  registry = await startRegistry();
  one = busyboxImage({ config: { Labels: { kind: "one" }, Env: ["PATH=/bin", "A=1"] } });
  imageId = (JSON.parse(new TextDecoder().decode(one.bytes)) as ImageManifest).config.digest;
  repository = `${registry.host}/team/app`;
  await registry.push("team/app", "1", one);
  await registry.push("team/app", "2", busyboxImage({ layers: [{ entries: [file("new", "new")] }] }));
  const foreign = buildImage({
    layers: [{ entries: [file("a", "a")] }],
    platform: { os: "linux", architecture: "s390x" },
  });
  await registry.push("team/app", "list", buildIndex([one, foreign]));
});

afterAll(() => registry?.stop());

function ok(...args: readonly string[]): Promise<string> {
  return store().ok(args);
}

async function fails(status: number, says: string, ...args: readonly string[]): Promise<void> {
  const result = await store().galley(args);
  expect(result.stderr).toContain(says);
  expect(result.status).toBe(status);
}

describe("pull", () => {
  testWith(needs, "says what it did, or with -q the reference alone", async () => {
    const lines = (await ok("pull", `${repository}:1`)).split("\n");
    expect(lines).toContain(`Digest: ${one.descriptor.digest}`);
    expect(lines).toContain(`Status: Downloaded newer image for ${repository}:1`);
    expect(lines.at(-1)).toBe(`${repository}:1`);
    expect(await ok("pull", `${repository}:1`)).toContain(`Status: Image is up to date for ${repository}:1`);
    expect(await ok("image", "pull", "--quiet", `${repository}:2`)).toBe(`${repository}:2`);
    expect(await ok("pull", "-q", `${repository}@${one.descriptor.digest}`)).toBe(
      `${repository}@${one.descriptor.digest}`,
    );
  });

  testWith(needs, "--platform chooses, and what is not there is refused", async () => {
    expect(await ok("pull", "-q", "--platform", "linux/s390x", `${repository}:list`)).toBe(`${repository}:list`);
    expect(await ok("image", "inspect", "-f", "{{.Architecture}}", `${repository}:list`)).toBe("s390x");
    await fails(1, "linux/riscv64", "pull", "--platform", "linux/riscv64", `${repository}:list`);
    await ok("rmi", `${repository}:list`);
    await fails(1, `${repository}:nosuch`, "pull", `${repository}:nosuch`);
    await fails(1, "invalid reference format", "pull", "library/UPPER");
    await fails(1, "127.0.0.1:1", "pull", "127.0.0.1:1/x:1");
  });
});

describe("images", () => {
  testWith(needs, "the table, and each of its flags", async () => {
    const [head, ...rows] = (await ok("images")).split("\n");
    expect(head).toMatch(/^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$/);
    expect(rows).toHaveLength(3);
    expect(rows.join("\n")).toMatch(new RegExp(`^${repository} +1 +[0-9a-f]{12} +.*[0-9.]+MB$`, "m"));
    expect(await ok("image", "ls", "--digests", repository)).toContain(one.descriptor.digest);
    expect(await ok("image", "list", "-q", `${repository}:1`)).toBe(imageId.slice(7, 19));
    expect(await ok("images", "--quiet", "--no-trunc", "--all", `${repository}:1`)).toBe(imageId);
    expect(await ok("images", "--format", "{{.Repository}}:{{.Tag}}", "*/team/*:2")).toBe(`${repository}:2`);
    const [row] = (await ok("images", "--format", "json", `${repository}:1`)).split("\n");
    expect(JSON.parse(row ?? "")).toMatchObject({ Repository: repository, Tag: "1" });
  });

  testWith(needs, "each filter", async () => {
    const named = (...filters: readonly string[]) =>
      ok("images", "--format", "{{.Tag}}", ...filters.flatMap((filter) => ["--filter", filter]), repository);
    expect(await named("label=kind")).toBe("1");
    expect(await named("label=kind=two")).toBe("");
    expect(await ok("images", "--format", "{{.Tag}}", "-f", "reference=*/team/app:2")).toBe("2");
    expect(await named("dangling=false", "label=kind=one")).toBe("1");
    expect((await named("before=busybox")).split("\n")).toEqual(expect.arrayContaining(["1", "2"]));
    expect(await named("since=busybox")).toBe("");
    expect(await ok("images", "-q", "-f", "dangling=true")).toBe("");
    await fails(1, "nosuch", "images", "-f", "nosuch=1");
  });

  testWith(needs, "history: the steps, and each of its flags", async () => {
    expect(await ok("history", `${repository}:1`)).toMatch(/^IMAGE +CREATED +CREATED BY +SIZE +COMMENT\n[0-9a-f]{12} /);
    expect((await ok("history", "-q", "--no-trunc", `${repository}:1`)).split("\n")[0]).toBe(imageId);
    const sizes = await ok("image", "history", "--human=false", "--format", "{{.Size}}", `${repository}:1`);
    expect(sizes).toMatch(/^\d+(\n\d+)*$/);
    expect(
      JSON.parse((await ok("history", "--format", "json", `${repository}:1`)).split("\n")[0] ?? ""),
    ).toHaveProperty("CreatedBy");
    await fails(1, "No such image: nosuch:latest", "history", "nosuch");
  });

  testWith(needs, "image inspect: the document, templates, several and none", async () => {
    const [found] = JSON.parse(await ok("image", "inspect", `${repository}:1`));
    expect(found).toMatchObject({ Id: imageId, Config: { Labels: { kind: "one" } }, Os: "linux" });
    expect(await ok("image", "inspect", "--format", "{{json .Config.Env}}", `${repository}:1`)).toBe(
      '["PATH=/bin","A=1"]',
    );
    const some = await store().galley(["image", "inspect", "-f", "{{.Os}}", "nosuch", `${repository}:1`]);
    expect(some).toMatchObject({ status: 1, stdout: "linux\n" });
    expect(some.stderr).toContain("No such image: nosuch:latest");
  });
});

describe("names", () => {
  testWith(needs, "tag and rmi: a name is one of several, the last takes the image", async () => {
    expect(await ok("tag", `${repository}:1`, "mine")).toBe("");
    await ok("image", "tag", "mine", "other/name:tag");
    expect(await ok("rmi", "mine:latest")).toBe("Untagged: mine:latest");
    expect(await ok("image", "rm", "--no-prune", "other/name:tag")).toBe("Untagged: other/name:tag");
    await fails(1, "No such image: mine:latest", "tag", "mine", "x");
    await fails(1, "invalid reference format", "tag", `${repository}:1`, "Bad Name");
    await fails(1, "No such image: nosuch:latest", "image", "remove", "nosuch");
  });

  testWith(needs, "rmi: what is used stays; by ID with several names only with -f", async () => {
    await ok("create", "--name", "user", `${repository}:2`);
    await fails(1, "container", "rmi", `${repository}:2`);
    await ok("rm", "user");
    await ok("tag", `${repository}:2`, "second:name");
    const id = await ok("images", "-q", "--no-trunc", "second:name");
    await fails(1, "must be forced", "rmi", id);
    expect(await ok("rmi", "--force", id.slice(7, 20))).toContain(`Deleted: ${id}`);
    expect((await store().galley(["rmi", "-f", "nosuch"])).status).toBe(0);
  });

  testWith(needs, "image prune: what has no name; -a what no container uses; --filter some", async () => {
    await ok("pull", "-q", `${repository}:2`);
    await ok("tag", `${repository}:1`, `${repository}:2`);
    expect((await store().galley(["image", "prune"], { stdin: "n\n" })).stdout).toContain("dangling images");
    expect(await ok("image", "prune", "--force")).toMatch(/^Deleted Images:\n(.*\n)*\nTotal reclaimed space: /);
    expect(await ok("image", "prune", "-f")).toBe("Total reclaimed space: 0B");
    expect(await ok("image", "prune", "-af", "--filter", "label!=kind")).toContain("busybox:latest");
    expect((await ok("images", "--format", "{{.Tag}}", repository)).split("\n").sort()).toEqual(["1", "2"]);
    await ok("rmi", `${repository}:2`);
  });
});

describe("images of containers, and archives", () => {
  testWith(needs, "commit: author, message, changes; with and without a pause", async () => {
    await ok("run", "-d", "--name", "work", `${repository}:1`, "sh", "-c", "echo made > /made; exec sleep 1000");
    await ok("exec", "work", "sh", "-c", "while [ ! -e /made ]; do sleep 0.01; done");
    const flags = [
      "-a",
      "Somebody",
      "-m",
      "a message",
      "-c",
      'CMD ["cat", "/made"]',
      "--change",
      "ENV B=2",
      "--pause=false",
    ];
    expect(await ok("commit", ...flags, "work", "made:1")).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await ok("run", "--rm", "made:1")).toBe("made");
    expect(await ok("image", "inspect", "-f", "{{.Author}}|{{.Comment}}|{{json .Config.Env}}", "made:1")).toBe(
      'Somebody|a message|["PATH=/bin","A=1","B=2"]',
    );
    await ok("container", "commit", "--author", "x", "--message", "y", "work", "made:2");
    await fails(1, "NOSUCH", "commit", "-c", "NOSUCH x", "work");
    await fails(1, "No such container: nosuch", "commit", "nosuch");
  });

  testWith(needs, "export and import: a container's files as an image", async () => {
    const archive = join(store().home, "export.tar");
    await ok("export", "--output", archive, "work");
    expect(await ok("import", "-m", "brought", "-c", "CMD cat /made", archive, "brought:1")).toMatch(/^sha256:/);
    expect(await ok("run", "--rm", "brought:1")).toBe("made");
    const piped = await ok("container", "export", "-o", `${archive}2`, "work");
    expect(piped).toBe("");
    expect(await ok("image", "import", "--change", "ENV X=1", "--platform", "linux/amd64", `${archive}2`)).toMatch(
      /^sha256:/,
    );
    await fails(1, "nosuch.tar", "import", join(store().home, "nosuch.tar"));
    await fails(1, "No such container: nosuch", "export", "nosuch");
    await ok("rm", "-f", "work");
  });

  testWith(needs, "save and load: one archive of several images", async () => {
    const archive = join(store().home, "save.tar");
    await ok("save", "-o", archive, "made:1", "brought:1");
    await ok("rmi", "made:1", "brought:1");
    expect((await ok("load", "-i", archive)).split("\n").sort()).toEqual([
      "Loaded image: brought:1",
      "Loaded image: made:1",
    ]);
    await ok("image", "save", "--output", `${archive}2`, "--platform", "linux/amd64", "made:1");
    expect(await ok("image", "load", "--quiet", "--input", `${archive}2`)).toContain("made:1");
    writeFileSync(`${archive}3`, "no archive");
    await fails(1, "save.tar3", "load", "-i", `${archive}3`);
    await fails(1, "No such image: nosuch:latest", "save", "-o", `${archive}4`, "nosuch");
    expect(existsSync(`${archive}4`)).toBe(false);
  });

  testWith(needs, "push: to a registry, from which it comes back", async () => {
    await ok("tag", "made:1", `${registry.host}/pushed/app:1`);
    expect(await ok("push", `${registry.host}/pushed/app:1`)).toMatch(/1: digest: sha256:[0-9a-f]{64} size: \d+$/);
    await ok("tag", "made:1", `${registry.host}/pushed/app:2`);
    await ok("image", "push", "--quiet", "--all-tags", `${registry.host}/pushed/app`);
    await ok("rmi", `${registry.host}/pushed/app:1`, `${registry.host}/pushed/app:2`);
    expect(await ok("run", "-q", "--rm", `${registry.host}/pushed/app:2`)).toBe("made");
    await fails(1, "nosuch", "push", `${registry.host}/nosuch`);
  });
});
