/** artifact add, ls, inspect, extract, push, pull, rm: as a person calls them. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BuiltImage, digestOf, document } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { fileStore } from "./container-flags.ts";

const needs = { root: true, commands: ["docker-registry"] };
const store = fileStore();
const ok = (...args: readonly string[]) => store().ok(args);
const at = (name: string) => join(store().home, name);

let registry: Registry;
let name: string;
beforeAll(async () => {
  if (missing(needs) !== undefined) return;
  registry = await startRegistry();
  name = `${registry.host}/team/notes:1`;
  writeFileSync(at("a.txt"), "hello\n");
  writeFileSync(at("b.bin"), new Uint8Array([0, 1, 2, 255]));
});
afterAll(() => registry?.stop());

async function fails(status: number, says: string, ...args: readonly string[]): Promise<void> {
  const result = await store().galley(args);
  expect(result.stderr).toContain(says);
  expect(result.status).toBe(status);
}

const blobs = () => readdirSync(join(store().root, "artifacts/blobs/sha256"));

describe("an artifact", () => {
  testWith(needs, "is made of files, added to, and made anew", async () => {
    expect(
      await ok("artifact", "add", "--type", "application/notes", "--annotation", "k=v", name, at("a.txt")),
    ).toMatch(/^[0-9a-f]{64}$/);
    await fails(125, "artifact already exists", "artifact", "add", name, at("a.txt"));
    await ok("artifact", "add", "--append", "--file-type", "text/x", name, at("b.bin"));
    await fails(125, "a.txt: a file of that name", "artifact", "add", "-a", name, at("a.txt"));
    const { Manifest, Name } = JSON.parse(await ok("artifact", "inspect", name));
    expect(Name).toBe(name);
    expect(Manifest).toMatchObject({
      artifactType: "application/notes",
      config: { mediaType: "application/vnd.oci.empty.v1+json", size: 2, data: "e30=" },
      layers: [
        {
          mediaType: "text/plain; charset=utf-8",
          size: 6,
          annotations: { k: "v", "org.opencontainers.image.title": "a.txt" },
        },
        { mediaType: "text/x", size: 4, annotations: { "org.opencontainers.image.title": "b.bin" } },
      ],
    });
    expect(blobs()).toHaveLength(4);
    await ok("artifact", "add", "other/one", at("b.bin"));
    await ok("artifact", "add", "--replace", "other/one", at("a.txt"));
    expect(
      await ok(
        "artifact",
        "inspect",
        "--format",
        "{{len .Manifest.Layers}} {{(index .Manifest.Layers 0).Size}}",
        "other/one",
      ),
    ).toBe("1 6");
    await fails(125, "artifact does not exist", "artifact", "add", "--append", "nosuch", at("a.txt"));
    await fails(125, "nosuch.txt", "artifact", "add", "bad/one", at("nosuch.txt"));
    expect(await ok("artifact", "ls", "--format", "{{.Repository}}")).not.toContain("bad/one");
  });

  testWith(needs, "is listed", async () => {
    const [head, ...rows] = (await ok("artifact", "ls")).split("\n");
    expect(head).toMatch(/^REPOSITORY +TAG +DIGEST +CREATED +SIZE$/);
    expect(rows[0]).toMatch(new RegExp(`^${registry.host}/team/notes +1 +[0-9a-f]{12} +.* +10B$`));
    expect(rows[1]).toMatch(/^other\/one +[0-9a-f]{12} +.* +6B$/);
    expect((await ok("artifact", "list", "-n", "--no-trunc")).split("\n")[0]).toMatch(/ [0-9a-f]{64} /);
  });

  testWith(needs, "gives its files back: all to a directory, or one", async () => {
    mkdirSync(at("out"));
    await ok("artifact", "extract", name, at("out"));
    expect(readdirSync(at("out")).sort()).toEqual(["a.txt", "b.bin"]);
    await ok("artifact", "extract", "--title", "a.txt", name, at("one"));
    expect(readFileSync(at("one"), "utf8")).toBe("hello\n");
    await ok("artifact", "extract", "--digest", digestOf(readFileSync(at("b.bin"))), name, at("two"));
    expect(readFileSync(at("two"))).toEqual(readFileSync(at("b.bin")));
    await fails(125, "consists of several blobs", "artifact", "extract", name, at("three"));
    await fails(125, 'no blob with the title "zz"', "artifact", "extract", "--title", "zz", name, at("three"));
    expect(existsSync(at("three"))).toBe(false);
  });

  testWith(needs, "goes to a registry and comes back the same", async () => {
    const digest = await ok("artifact", "push", "--digestfile", at("digest"), name);
    expect(readFileSync(at("digest"), "utf8")).toBe(digest);
    expect(await ok("artifact", "rm", name)).toBe(digest.slice(7));
    expect(await ok("artifact", "pull", "--quiet", name)).toBe(digest.slice(7));
    await ok("artifact", "extract", "--title", "a.txt", name, at("again"));
    expect(readFileSync(at("again"), "utf8")).toBe("hello\n");
    await fails(125, "team/nosuch:1", "artifact", "pull", `${registry.host}/team/nosuch:1`);
    await fails(125, "artifact does not exist", "artifact", "push", "-q", "nosuch");
  });

  testWith(needs, "whose titles are paths writes nothing outside", async () => {
    const content = document("text/plain", "evil");
    const config = document("application/vnd.oci.empty.v1+json", {});
    const layers = [{ ...content.descriptor, annotations: { "org.opencontainers.image.title": "../evil" } }];
    const manifest = document("application/vnd.oci.image.manifest.v1+json", {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: config.descriptor,
      layers,
    });
    const evil: BuiltImage = { ...manifest, blobs: [config, content], manifests: [] };
    await registry.push("team/evil", "1", evil);
    await ok("artifact", "pull", `${registry.host}/team/evil:1`);
    await fails(125, "cannot be a file's name", "artifact", "extract", `${registry.host}/team/evil:1`, at("out"));
    expect(existsSync(at("evil"))).toBe(false);
  });

  testWith(needs, "is removed, and its content with the last that needs it", async () => {
    await fails(125, "artifact does not exist", "artifact", "rm", "nosuch");
    expect(await ok("artifact", "rm", "--ignore", "nosuch")).toBe("");
    expect((await ok("artifact", "rm", "--all")).split("\n")).toHaveLength(3);
    expect(await ok("artifact", "ls", "-n")).toBe("");
    expect(blobs()).toEqual([]);
  });
});
