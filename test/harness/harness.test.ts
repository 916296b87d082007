import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startFaultsServer } from "./faults-server.ts";
import { busyboxImage } from "./fixtures.ts";
import { buildImage, buildIndex, digestOf, writeLayout } from "./image-builder.ts";
import { type Registry, startRegistry } from "./registry.ts";
import { device, directory, fifo, file, hardlink, paxRecord, symlink, tar, whiteout } from "./tar.ts";

const image = buildImage({ layers: [{ entries: [file("hello", "hello\n")] }] });

describe("tar", () => {
  test("GNU tar reads what it writes", async () => {
    const long = `${"long/".repeat(30)}name`;
    const archive = tar([
      directory("d", { mode: 0o700, uid: 3, gid: 4 }),
      file("d/f", "text", { mode: 0o4755, mtime: 86_400 }),
      symlink("d/s", "../elsewhere"),
      hardlink("d/h", "d/f"),
      device("d/null", "c", 1, 3),
      fifo("d/p"),
      file(long, "x"),
      file("big-owner", "", { uid: 3_000_000 }),
      whiteout("d/gone"),
    ]);
    const listing = Bun.spawnSync(["tar", "-tvf", "-", "--numeric-owner", "--utc", "--full-time"], { stdin: archive });
    expect(listing.stderr.toString()).toBe("");
    const lines = listing.stdout
      .toString()
      .trim()
      .split("\n")
      .map((line) => line.replace(/ +/g, " "));
    expect(lines).toEqual([
      "drwx------ 3/4 0 1970-01-01 00:00:00 d/",
      "-rwsr-xr-x 0/0 4 1970-01-02 00:00:00 d/f",
      "lrwxrwxrwx 0/0 0 1970-01-01 00:00:00 d/s -> ../elsewhere",
      "hrw-r--r-- 0/0 0 1970-01-01 00:00:00 d/h link to d/f",
      "crw-r--r-- 0/0 1,3 1970-01-01 00:00:00 d/null",
      "prw-r--r-- 0/0 0 1970-01-01 00:00:00 d/p",
      `-rw-r--r-- 0/0 1 1970-01-01 00:00:00 ${long}`,
      "-rw-r--r-- 3000000/0 0 1970-01-01 00:00:00 big-owner",
      "-rw-r--r-- 0/0 0 1970-01-01 00:00:00 d/.wh.gone",
    ]);
  });

  test("an extended record counts its own digits", () => {
    expect(new TextDecoder().decode(paxRecord("a", "b".repeat(93)))).toStartWith("99 a=");
    expect(new TextDecoder().decode(paxRecord("a", "b".repeat(94)))).toStartWith("101 a=");
  });

  test("a header can lie", () => {
    const archive = tar([
      file("../x", "abc", { size: 10_000_000_000, raw: true, spoil: (header) => header.fill(0, 257, 263) }),
    ]);
    expect(archive[124]).toBe(0x80);
    expect(archive[257]).toBe(0);
  });
});

describe("the registry", () => {
  let registry: Registry;
  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(() => registry.stop());

  test("serves an image, its index and the busybox fixture to skopeo", async () => {
    const reference = await registry.push("test/index", "1", buildIndex([image]));
    const busybox = await registry.push("test/busybox", "latest", busyboxImage());
    for (const name of [reference, busybox]) {
      const skopeo = Bun.spawnSync(["skopeo", "inspect", "--tls-verify=false", `docker://${name}`]);
      expect(skopeo.stderr.toString()).toBe("");
      expect(skopeo.exitCode).toBe(0);
    }
  });

  test("stores a blob in the file that it names", async () => {
    await registry.push("test/one", "1", image);
    for (const { descriptor } of image.blobs) {
      expect(digestOf(readFileSync(registry.blobFile(descriptor.digest)))).toBe(descriptor.digest);
    }
  });

  test("a layout is one that skopeo reads", () => {
    const folder = mkdtempSync(join(tmpdir(), "galley-layout-"));
    try {
      writeLayout(folder, "v1", image);
      const skopeo = Bun.spawnSync(["skopeo", "inspect", "--format={{.Digest}}", `oci:${folder}:v1`]);
      expect(skopeo.stdout.toString().trim()).toBe(image.descriptor.digest);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

test("a registry with TLS and a password refuses those without and is gone when stopped", async () => {
  const auth = { user: "cook", password: "salt" };
  const registry = await startRegistry({ tls: true, auth });
  const storage = registry.blobFile(image.blobs[0]!.descriptor.digest);
  try {
    await registry.push("test/one", "1", image);
    expect(existsSync(storage)).toBe(true);
    await expect(fetch(`${registry.url}/v2/`)).rejects.toThrow();
    const tls = { ca: readFileSync(registry.authority ?? "", "utf8") };
    expect((await fetch(`${registry.url}/v2/`, { tls })).status).toBe(401);
    const headers = { authorization: `Basic ${btoa("cook:salt")}` };
    expect((await fetch(`${registry.url}/v2/`, { tls, headers })).status).toBe(200);
  } finally {
    await registry.stop();
  }
  expect(existsSync(storage)).toBe(false);
  await expect(fetch(`${registry.url}/v2/`)).rejects.toThrow();
});

describe("the faults server", () => {
  let registry: Registry;
  beforeAll(async () => {
    registry = await startRegistry();
    await registry.push("test/one", "1", image);
  });
  afterAll(() => registry.stop());

  const layer = image.blobs[1]!;
  const path = `/v2/test/one/blobs/${layer.descriptor.digest}`;

  test("passes on what it does not spoil, and records it", async () => {
    const server = await startFaultsServer(registry.url);
    const response = await fetch(`${server.url}${path}`);
    expect(digestOf(new Uint8Array(await response.arrayBuffer()))).toBe(layer.descriptor.digest);
    expect((await fetch(`${server.url}${path}`, { method: "HEAD" })).headers.get("content-length")).toBe(
      String(layer.bytes.length),
    );
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([`GET ${path}`, `HEAD ${path}`]);
    await server.stop();
  });

  test("spoils as many requests as a fault says", async () => {
    const server = await startFaultsServer(registry.url, {
      faults: [{ path: "/blobs/", times: 1, after: 1, act: { status: 429, headers: { "retry-after": "2" } } }],
    });
    const answers = [
      await fetch(`${server.url}${path}`),
      await fetch(`${server.url}${path}`),
      await fetch(`${server.url}${path}`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 429, 200]);
    expect(answers[1]?.headers.get("retry-after")).toBe("2");
    await server.stop();
  });

  test("cuts, truncates, lies about length, alters and replaces", async () => {
    const server = await startFaultsServer(registry.url);
    const body = async () =>
      new Uint8Array(await (await fetch(`${server.url}${path}`, { decompress: false })).arrayBuffer());
    server.inject({ path: "/blobs/", act: { truncateTo: 10 } });
    expect((await body()).length).toBe(10);
    server.inject({ path: "/blobs/", act: { flipByteAt: 3 } });
    expect(digestOf(await body())).not.toBe(layer.descriptor.digest);
    server.inject({ path: "/blobs/", act: { replace: "other" } });
    expect(new TextDecoder().decode(await body())).toBe("other");
    server.inject({ path: "/blobs/", act: { chunk: 7, pause: 1 } });
    expect(digestOf(await body())).toBe(layer.descriptor.digest);
    for (const act of [{ cutAfter: 10 }, { lengthOff: 5 }, { refuse: true }] as const) {
      server.inject({ path: "/blobs/", act });
      await expect(body()).rejects.toThrow();
    }
    server.heal();
    expect(digestOf(await body())).toBe(layer.descriptor.digest);
    await server.stop();
  });

  test("never answers, and pours without end, until the client leaves", async () => {
    const server = await startFaultsServer(registry.url);
    server.inject({ path: "/blobs/", act: { hang: true } });
    await expect(fetch(`${server.url}${path}`, { signal: AbortSignal.timeout(50) })).rejects.toThrow();
    server.inject({ path: "/blobs/", act: { endless: true } });
    const reader = (await fetch(`${server.url}${path}`)).body!.getReader();
    let received = 0;
    while (received < 1_000_000) received += (await reader.read()).value?.length ?? 0;
    await reader.cancel();
    await server.stop();
  });

  test("asks for a token, gives one for the right password and lets it expire", async () => {
    const server = await startFaultsServer(registry.url, { token: { user: "cook", password: "salt", uses: 1 } });
    const refused = await fetch(`${server.url}${path}`);
    expect(refused.status).toBe(401);
    expect(refused.headers.get("www-authenticate")).toBe(
      `Bearer realm="${server.url}/token",service="test",scope="repository:test/one:pull"`,
    );
    expect((await fetch(`${server.url}/token?service=test`)).status).toBe(401);
    const basic = { authorization: `Basic ${btoa("cook:salt")}` };
    const { token } = (await (await fetch(`${server.url}/token`, { headers: basic })).json()) as { token: string };
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${server.url}${path}`, { headers })).status).toBe(200);
    expect((await fetch(`${server.url}${path}`, { headers })).status).toBe(401);
    await server.stop();
  });
});
