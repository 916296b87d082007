/** Flags of skopeo's commands that are about more than one registry: daemons, what is kept aside, and what says nothing to a command. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStore, type Store } from "../harness/galley.ts";
import { buildImage } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { file } from "../harness/tar.ts";

const needs = { commands: ["docker-registry"] };
const image = buildImage({
  layers: [{ entries: [file("a", "a")] }, { entries: [file("b", "b")] }],
  platform: { os: "linux", architecture: "amd64" },
});

let registry: Registry;
let store: Store;
let directory: string;
beforeAll(async () => {
  if (missing(needs) !== undefined) return;
  directory = mkdtempSync(join(tmpdir(), "galley-copied-"));
  registry = await startRegistry();
  await registry.push("team/app", "1", image);
  store = createStore();
});
afterAll(async () => {
  await registry?.stop();
  await store?.cleanup();
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});

let count = 0;
const fresh = (name: string) => join(directory, `${++count}-${name}`);
const ok = (...args: readonly string[]) => store.ok(args);
const app = () => `docker://${registry.host}/team/app:1`;

async function refused(says: string, ...args: readonly string[]): Promise<void> {
  const { status, stderr } = await store.galley(args);
  expect({ failed: status > 0, told: stderr.includes(says) ? says : stderr }).toEqual({ failed: true, told: says });
}

describe("a Docker daemon at a socket of its own", () => {
  /** Gives the archive that it was given (Engine API, "Import images" and "Export an image"). */
  function daemon(socket: string) {
    let archive: Uint8Array<ArrayBuffer> = new Uint8Array();
    return Bun.serve({
      unix: socket,
      async fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === "/images/a%3A1/get") return new Response(archive);
        if (pathname !== "/images/load")
          return Response.json({ message: `No such image: ${pathname}` }, { status: 404 });
        archive = new Uint8Array(await request.arrayBuffer());
        return Response.json({ stream: "Loaded image: a:1" });
      },
    });
  }

  testWith(needs, "is written and read by --dest-daemon-host, --src-daemon-host and --daemon-host", async () => {
    const socket = fresh("docker.sock");
    const host = `unix://${socket}`;
    const running = daemon(socket);
    await ok("copy", "-q", "--dest-daemon-host", host, app(), "docker-daemon:a:1");
    const place = `dir:${fresh("back")}`;
    await ok("copy", "-q", "--src-daemon-host", host, "docker-daemon:a:1", place);
    const diffIds = ["inspect", "--config", "-f", "{{.RootFS.DiffIDs}}"];
    expect(await ok(...diffIds, place)).toBe(await ok(...diffIds, app()));
    expect(await ok("inspect", "--daemon-host", host, "-f", "{{.Architecture}}", "docker-daemon:a:1")).toBe("amd64");
    await refused("No such image", "inspect", "--daemon-host", host, "docker-daemon:b:1");
    // As with skopeo, which takes the flag there and removes nothing.
    await refused("not implemented for docker-daemon: images", "delete", "--daemon-host", host, "docker-daemon:a:1");
    await running.stop(true);
    for (const words of [
      ["copy", "-q", "--src-daemon-host", host, "docker-daemon:a:1", `dir:${fresh("x")}`],
      ["copy", "-q", "--dest-daemon-host", host, app(), "docker-daemon:a:1"],
      ["inspect", "--daemon-host", host, "docker-daemon:a:1"],
    ]) {
      await refused(`listening at ${host}`, ...words);
    }
  });
});

describe("skopeo's flags for all commands", () => {
  const choosing = ["--override-arch", "s390x", "--override-os", "plan9", "--override-variant", "v1"];
  const rejecting = () => {
    const path = fresh("policy.json");
    writeFileSync(path, JSON.stringify({ default: [{ type: "reject" }] }));
    return path;
  };
  const trusting = () => [
    ["--policy", rejecting(), "--registries.d", fresh("none")],
    ["--insecure-policy"],
    ["--require-signed"],
  ];

  testWith(
    needs,
    "that choose an image or judge it say nothing to list-tags, delete and (the latter) inspect",
    async () => {
      const copied = async () => {
        await ok("copy", "-q", app(), `docker://${registry.host}/gone/app:1`);
        return `docker://${registry.host}/gone/app:1`;
      };
      expect(await ok("list-tags", ...choosing, `docker://${registry.host}/team/app`)).toContain('"1"');
      await ok("delete", ...choosing, "--tmpdir", fresh("none"), await copied());
      await refused("not found", "inspect", `docker://${registry.host}/gone/app:1`);
      for (const how of trusting()) {
        expect(await ok("list-tags", ...how, `docker://${registry.host}/team/app`)).toContain('"1"');
        expect(await ok("inspect", "-n", ...how, "-f", "{{.Os}}", app())).toBe("linux");
        await ok("delete", ...how, await copied());
        await refused("not found", "inspect", `docker://${registry.host}/gone/app:1`);
      }
    },
  );

  testWith(needs, "--tmpdir: where inspect and list-tags decompress an archive; sync keeps nothing there", async () => {
    const archive = fresh("archive.tar");
    await ok("copy", "-q", app(), `docker-archive:${archive}:a:1`);
    writeFileSync(`${archive}.gz`, Bun.gzipSync(readFileSync(archive)));
    const scratch = fresh("scratch");
    const place = `docker-archive:${archive}.gz`;
    for (const words of [["inspect", "-f", "{{.Os}}"], ["list-tags"]]) {
      await refused(scratch, ...words, "--tmpdir", scratch, place);
      mkdirSync(scratch);
      expect(await ok(...words, "--tmpdir", scratch, place)).toMatch(/linux|a:1/);
      expect(readdirSync(scratch)).toEqual([]);
      rmSync(scratch, { recursive: true });
    }
    const target = fresh("synced");
    await ok("sync", "-s", "docker", "-d", "dir", "--tmpdir", scratch, `${registry.host}/team/app:1`, target);
    expect(existsSync(join(target, "app:1/manifest.json"))).toBe(true);
  });
});

testWith(needs, "sync --src-registry-token, --dest-registry-token: each for its own side", async () => {
  const sent = new Map<string, Set<string>>();
  const front = (name: string) =>
    Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      async fetch(request) {
        const tokens = sent.get(name) ?? new Set();
        sent.set(name, tokens.add(request.headers.get("authorization") ?? "none"));
        const headers = new Headers(request.headers);
        headers.delete("authorization");
        const { pathname, search } = new URL(request.url);
        const body = request.body === null ? {} : { body: await request.bytes() };
        return fetch(registry.url + pathname + search, { method: request.method, headers, ...body });
      },
    });
  const [from, to] = [front("from"), front("to")];
  const flags = ["--src-registry-token", "one", "--dest-registry-token", "two"];
  const places = [`127.0.0.1:${from.port}/team/app:1`, `127.0.0.1:${to.port}/synced`];
  await ok("sync", "-s", "docker", "-d", "docker", ...flags, ...places);
  expect(await ok("list-tags", `docker://${registry.host}/synced/app`)).toContain('"1"');
  await Promise.all([from.stop(true), to.stop(true)]);
  // Before a registry is asked for something it is asked what it speaks.
  expect(sent.get("from")).toEqual(new Set(["none", "Bearer one"]));
  expect(sent.get("to")).toEqual(new Set(["none", "Bearer two"]));
});
