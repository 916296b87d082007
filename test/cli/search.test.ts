/** search: as a person calls it, in a registry with a catalogue alone and in one with the old search. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { createStore, type Store } from "../harness/galley.ts";
import { buildImage } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { testWith } from "../harness/requirements.ts";
import { file } from "../harness/tar.ts";

const needs = { commands: ["docker-registry"] };
const image = buildImage({ layers: [{ entries: [file("a", "a")] }] });

let registry: Registry;
let old: ReturnType<typeof Bun.serve>;
let store: Store;
beforeAll(async () => {
  store = createStore();
  registry = await startRegistry();
  for (const name of ["team/app:1", "team/app:2", "other/thing:1"]) {
    const [repository = "", tag = ""] = name.split(":");
    await registry.push(repository, tag, image);
  }
  const results = [
    { name: "library/app", description: "what it is\nand more", star_count: 7, is_official: true, is_automated: false },
    { name: "some/app", description: "x".repeat(100), star_count: 1, is_official: false, is_automated: true },
  ];
  old = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      const { pathname, searchParams } = new URL(request.url);
      if (pathname === "/v2/") return new Response("{}");
      if (pathname !== "/v1/search") return new Response("no", { status: 404 });
      return Response.json({ results: searchParams.get("q") === "app" ? results : [] });
    },
  });
});
afterAll(async () => {
  await registry?.stop();
  await old?.stop(true);
  await store?.cleanup();
});

const ok = (...args: readonly string[]) => store.ok(["search", ...args]);

async function fails(says: string, ...args: readonly string[]): Promise<void> {
  const { status, stderr } = await store.galley(["search", ...args]);
  expect(stderr).toContain(says);
  expect(status).toBe(125);
}

describe("search", () => {
  testWith(needs, "in a registry that has a catalogue alone", async () => {
    const [head, ...rows] = (await ok(`${registry.host}/app`)).split("\n");
    expect(head).toMatch(/^NAME +DESCRIPTION$/);
    expect(rows.map((row) => row.trim())).toEqual([`${registry.host}/team/app`]);
    expect((await ok("--format", "{{.Name}}", `${registry.host}/`)).split("\n")).toHaveLength(2);
    expect(await ok("--limit", "1", "--format", "{{.Index}}", `${registry.host}/`)).toBe(registry.host);
    expect(await ok(`${registry.host}/nosuch`)).toBe("");
    await fails("127.0.0.1:1", "127.0.0.1:1/x");
  });

  testWith(needs, "in a registry with the old search, filtered", async () => {
    const host = `127.0.0.1:${old.port}`;
    const [official, other] = JSON.parse(await ok("--format", "json", `${host}/app`));
    expect(official).toEqual({
      Index: host,
      Name: `${host}/library/app`,
      Description: "what it is\nand more",
      Stars: 7,
      Official: "[OK]",
      Automated: "",
      Tag: "",
    });
    expect(other.Automated).toBe("[OK]");
    const names = (...flags: readonly string[]) => ok(...flags, "--format", "{{.Name}} {{.Stars}}", `${host}/app`);
    expect(await names("--filter", "stars=3")).toBe(`${host}/library/app 7`);
    expect(await names("-f", "is-official=true")).toBe(`${host}/library/app 7`);
    expect(await names("-f", "is-automated=true")).toBe(`${host}/some/app 1`);
    expect(await ok("--compatible", `${host}/app`)).toMatch(
      /^NAME +DESCRIPTION +STARS +OFFICIAL +AUTOMATED\n.*what it is and more +7 +\[OK\]/,
    );
    expect(await ok(`${host}/app`)).toContain(`${"x".repeat(43)}…`);
    expect(await ok("--no-trunc", `${host}/app`)).toContain("x".repeat(100));
    await fails("invalid filter type", "-f", "bad=1", `${host}/app`);
    await fails("incorrect value type for stars", "-f", "stars=x", `${host}/app`);
  });

  testWith(needs, "--list-tags", async () => {
    const name = `${registry.host}/team/app`;
    const [head, ...rows] = (await ok("--list-tags", name)).split("\n");
    expect(head).toMatch(/^NAME +TAG$/);
    expect(rows).toHaveLength(2);
    expect(JSON.parse(await ok("--list-tags", "--format", "json", name))[0].Tags.sort()).toEqual(["1", "2"]);
    expect((await ok("--list-tags", "--limit", "1", "--format", "{{.Tag}}", name)).split("\n")).toHaveLength(1);
    await fails("not applicable", "--list-tags", "--filter", "stars=1", name);
    await fails("nosuch", "--list-tags", `${registry.host}/nosuch`);
  });
});
