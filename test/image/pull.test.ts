import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GalleyError } from "../../src/errors.ts";
import { CHUNK } from "../../src/image/content/content-store.ts";
import type { PullEvent } from "../../src/image/types.ts";
import { type Fault, type FaultsServer, startFaultsServer } from "../harness/faults-server.ts";
import { type BuiltImage, buildImage, buildIndex, compress } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { file, tar } from "../harness/tar.ts";
import { openTestImages, type TestImages } from "./test-images.ts";

const needs = { root: true, commands: ["docker-registry"] };
const noise = (size: number) => crypto.getRandomValues(new Uint8Array(size));
const amd64 = { os: "linux", architecture: "amd64" };

let registry: Registry;
let faults: FaultsServer;
let root: string;
let store: TestImages;
beforeAll(async () => {
  if (missing(needs) !== undefined) return;
  registry = await startRegistry();
  faults = await startFaultsServer(registry.url);
});
afterAll(async () => {
  await faults?.stop();
  await registry?.stop();
});
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "galley-pull-"));
  store = openTestImages(root);
});
afterEach(() => {
  faults?.heal();
  store.database.close();
  rmSync(root, { recursive: true, force: true });
});

async function faultOf(work: Promise<unknown>): Promise<GalleyError> {
  return work.then(
    () => Promise.reject(new Error("it did not fail")),
    (failure: GalleyError) => failure,
  );
}

/** The content of `path` in an image that was pulled, from its topmost layer that has it. */
async function contentOf(diffIds: readonly string[], path: string): Promise<string> {
  for (const directory of await store.snapshotter.lower(diffIds)) {
    try {
      return readFileSync(join(directory, path), "utf8");
    } catch {}
  }
  throw new Error(`no layer has ${path}`);
}

const run = (reference: string) =>
  Bun.spawn([process.execPath, join(import.meta.dir, "pull-process.ts"), root, reference], { stdout: "pipe" });

async function lastLine(child: ReturnType<typeof run>): Promise<Record<string, unknown>> {
  const lines = (await new Response(child.stdout).text()).trim().split("\n");
  return JSON.parse(lines.at(-1) ?? "") as Record<string, unknown>;
}

describe("what registries hold is pulled", () => {
  for (const format of ["oci", "docker"] as const) {
    testWith(needs, `${format} documents, layers of every compression`, async () => {
      const compressions = format === "oci" ? (["gzip", "zstd", "none"] as const) : (["gzip", "none"] as const);
      const layers = compressions.map((compression) => ({
        entries: [file(`in-${compression}`, compression)],
        compression,
      }));
      const reference = await registry.push(`formats/${format}`, "1", buildImage({ layers, format }));
      const { image } = await store.images.pull(reference);
      for (const compression of compressions) {
        expect(await contentOf(image.layers, `in-${compression}`)).toBe(compression);
      }
      expect(image.names).toEqual([reference]);
    });

    testWith(needs, `an ${format} index, by platform`, async () => {
      const arm64 = { os: "linux", architecture: "arm64", variant: "v8" };
      const images = [arm64, amd64].map((platform) =>
        buildImage({ layers: [{ entries: [file("machine", platform.architecture)] }], format, platform }),
      );
      const index = buildIndex(images, format);
      const reference = await registry.push(`index/${format}`, "1", index);
      for (const architecture of ["amd64", "arm64"]) {
        const result = await store.images.pull(reference, { platform: `linux/${architecture}` });
        expect(await contentOf(result.image.layers, "machine")).toBe(architecture);
        expect(result.digest).toBe(index.descriptor.digest);
      }
      const fault = await faultOf(store.images.pull(reference, { platform: "linux/riscv64" }));
      expect(fault.describe()).toContain("it is offered for linux/arm64/v8, linux/amd64");
    });
  }

  testWith(needs, "gzip of several members, a wrong media type, and the same layer twice", async () => {
    const archive = tar([file("a", "a".repeat(100_000)), file("b", "b")]);
    const stored = Buffer.concat([
      compress(archive.subarray(0, 5000), "gzip"),
      compress(archive.subarray(5000), "gzip"),
    ]);
    const members = { archive, stored };
    const mislabelled = { entries: [file("c", "c")], compression: "zstd" as const };
    const image = buildImage({
      layers: [members, mislabelled, members],
      editManifest: (manifest) => ({
        ...manifest,
        layers: manifest.layers.map((layer) => ({
          ...layer,
          mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
        })),
      }),
    });
    const { image: pulled } = await store.images.pull(await registry.push("members", "1", image));
    expect(await contentOf(pulled.layers, "a")).toHaveLength(100_000);
    expect(await contentOf(pulled.layers, "c")).toBe("c");
  });
});

describe("the store is a layout that other programs read", () => {
  testWith({ ...needs, commands: [...needs.commands, "skopeo", "umoci"] }, "skopeo and umoci", async () => {
    const reference = await registry.push("layout", "1", buildImage({ layers: [{ entries: [file("a", "a")] }] }));
    const { digest } = await store.images.pull(reference);
    const inspect = Bun.spawnSync(["skopeo", "inspect", "--raw", `oci:${store.content}:${reference}`]);
    expect(inspect.stderr.toString()).toBe("");
    expect(`sha256:${new Bun.CryptoHasher("sha256").update(inspect.stdout).digest("hex")}`).toBe(digest);
    const list = Bun.spawnSync(["umoci", "list", "--layout", store.content]);
    expect(list.stdout.toString().trim()).toBe(reference);
  });
});

describe("what goes wrong is told, and nothing is left", () => {
  const image = buildImage({ layers: [{ entries: [file("noise", noise(300_000))] }, { entries: [file("b", "b")] }] });
  const [, layer] = image.blobs;
  const hex = (digest: string) => digest.slice("sha256:".length);
  const at = (built: BuiltImage) => hex(built.descriptor.digest);
  const rows: readonly (readonly [string, Fault, string, string])[] = [
    ["401", { path: "/manifests/", act: { status: 401 } }, "unauthenticated", "access denied"],
    ["403", { path: "/manifests/", act: { status: 403 } }, "permission_denied", "access denied"],
    ["404 of the manifest", { path: "/manifests/", act: { status: 404 } }, "not_found", "not found in the registry"],
    [
      "404 of a layer",
      { path: hex(layer!.descriptor.digest), act: { status: 404 } },
      "not_found",
      "not found in the registry",
    ],
    [
      "429 that asks for too long a wait",
      { path: "/manifests/", act: { status: 429, headers: { "retry-after": "3600" } } },
      "unavailable",
      "try again in 3600 seconds",
    ],
    ["an altered layer", { path: hex(layer!.descriptor.digest), act: { flipByteAt: 200_000 } }, "data_loss", ""],
    ["an altered manifest", { path: at(image), method: "GET", act: { flipByteAt: 30 } }, "data_loss", "its digest is"],
    [
      "a manifest of another size",
      { path: at(image), method: "GET", act: { replace: "{}" } },
      "data_loss",
      "ended after 2",
    ],
    [
      "an endless manifest",
      { path: at(image), method: "GET", act: { endless: true } },
      "resource_exhausted",
      "larger than",
    ],
    ["HTML for a manifest", { path: "/manifests/", act: { replace: "<html>" } }, "data_loss", ""],
  ];
  for (const [name, fault, code, message] of rows) {
    testWith(needs, name, async () => {
      await registry.push("faults", "1", image);
      faults.inject(fault);
      const failure = await faultOf(store.images.pull(`${faults.host}/faults:1`));
      expect([failure.code, failure.describe()]).toEqual([code as never, expect.stringContaining(message)]);
      expect(store.remains()).toEqual([]);
    });
  }

  const spoilt: readonly (readonly [string, BuiltImage, string])[] = [
    [
      "a truncated gzip",
      buildImage({
        layers: [
          {
            archive: tar([file("a", noise(9000))]),
            stored: compress(tar([file("a", noise(9000))]), "gzip").subarray(0, 5000),
          },
        ],
      }),
      "gzip data is damaged",
    ],
    [
      "a layer that is not what its diff ID says",
      buildImage({ layers: [{ archive: tar([file("a", "a")]), stored: compress(tar([file("b", "b")]), "gzip") }] }),
      "sha256:",
    ],
    ["a layer that is no tar", buildImage({ layers: [{ archive: noise(4096) }] }), ""],
    [
      "a configuration with too many layers",
      buildImage({
        layers: [{ entries: [file("a", "a")] }],
        editConfig: (config) => ({
          ...config,
          rootfs: { type: "layers", diff_ids: [...config.rootfs.diff_ids, ...config.rootfs.diff_ids] },
        }),
      }),
      "its manifest lists 1 layers and the configuration 2",
    ],
  ];
  for (const [name, built, message] of spoilt) {
    testWith(needs, name, async () => {
      const reference = await registry.push("spoilt", "1", built);
      const failure = await faultOf(store.images.pull(reference));
      expect(failure.describe()).toContain(message);
      expect(store.remains()).toEqual([]);
    });
  }
});

describe("what may pass is waited for", () => {
  const image = buildImage({ layers: [{ entries: [file("noise", noise(400_000))] }] });

  testWith(needs, "429 with Retry-After", async () => {
    await registry.push("retry", "1", image);
    faults.inject({ path: "/manifests/", times: 1, act: { status: 429, headers: { "retry-after": "0" } } });
    const events: PullEvent[] = [];
    await store.images.pull(`${faults.host}/retry:1`, { onProgress: (event) => events.push(event) });
    expect(events).toContainEqual(expect.objectContaining({ kind: "retrying", seconds: 0 }));
  });

  testWith(needs, "a connection that is cut, from where it was cut", async () => {
    await registry.push("cut", "1", image);
    faults.inject({ path: "/blobs/", after: 1, times: 1, act: { cutAfter: 150_000 } });
    const { image: pulled } = await store.images.pull(`${faults.host}/cut:1`);
    expect(await contentOf(pulled.layers, "noise")).not.toBe("");
    const ranges = faults.requests.map((request) => request.headers.get("range")).filter(Boolean);
    expect(ranges).toEqual(["bytes=150000-"]);
  });
});

describe("several processes", () => {
  const image = buildImage({ layers: [1, 2].map((n) => ({ entries: [file(`noise-${n}`, noise(3_000_000))] })) });

  testWith(needs, "a pull that is killed is completed by the next", async () => {
    await registry.push("killed", "1", image);
    faults.inject({ path: "/blobs/", act: { chunk: 65_536, pause: 5 } });
    const reference = `${faults.host}/killed:1`;
    const child = run(reference);
    let output = "";
    for await (const chunk of child.stdout) {
      output += Buffer.from(chunk).toString();
      const arrived = [...output.matchAll(/"current":(\d+)/g)].map(([, bytes]) => Number(bytes));
      if (arrived.some((bytes) => bytes > 1_000_000)) break;
    }
    child.kill("SIGKILL");
    await child.exited;
    expect(store.images.list()).toEqual([]);
    const requested = faults.requests.length;
    const { image: pulled } = await store.images.pull(reference);
    expect(await contentOf(pulled.layers, "noise-2")).not.toBe("");
    const resumed = faults.requests.slice(requested).filter((request) => request.headers.has("range"));
    expect(resumed.length).toBeGreaterThan(0);
    expect(await store.images.collect()).toBe(0);
    await store.images.remove(reference);
    expect(store.remains()).toEqual([]);
  });

  testWith(needs, "a pull that is killed at nine tenths fetches one chunk twice at most", async () => {
    const size = 8_000_000;
    const large = buildImage({ layers: [{ entries: [file("noise", noise(size))], compression: "none" }] });
    const layer = large.blobs[1]!.descriptor;
    await registry.push("ninety", "1", large);
    faults.inject({ path: layer.digest, act: { hangAfter: Math.floor(0.97 * layer.size) } });
    const reference = `${faults.host}/ninety:1`;
    const requested = faults.requests.length;
    const child = run(reference);
    const partial = join(store.content, "ingest", layer.digest.replace(":", "-"));
    const onDisk = () => statSync(partial, { throwIfNoEntry: false })?.size ?? 0;
    while (child.exitCode === null && onDisk() < 0.9 * layer.size) await Bun.sleep(10);
    child.kill("SIGKILL");
    await child.exited;
    const sent = () =>
      faults.requests
        .slice(requested)
        .reduce((sum, request) => sum + (request.path.endsWith(layer.digest) ? faults.sent(request) : 0), 0);
    const before = sent();
    expect(before).toBe(Math.floor(0.97 * layer.size));
    faults.heal();
    await store.images.pull(reference);
    expect(sent()).toBeLessThanOrEqual(layer.size + CHUNK);
    expect(faults.requests.at(-1)?.headers.get("range")).toMatch(/^bytes=\d{7}-$/);
  });

  testWith(needs, "two pulls at once fetch each layer once", async () => {
    await registry.push("twice", "1", image);
    faults.inject({ path: "/blobs/", act: { chunk: 262_144, pause: 2 } });
    const requested = faults.requests.length;
    const reference = `${faults.host}/twice:1`;
    const results = await Promise.all([run(reference), run(reference)].map(lastLine));
    expect(results.map((result) => result.id)).toEqual(Array(2).fill(image.blobs[0]!.descriptor.digest));
    const blobs = faults.requests.slice(requested).filter(({ path }) => path.includes("/blobs/"));
    const layers = image.blobs.slice(1).map((blob) => blob.descriptor.digest);
    for (const digest of layers) expect(blobs.filter(({ path }) => path.endsWith(digest))).toHaveLength(1);
    expect(await store.images.collect()).toBe(0);
  });

  testWith(
    needs,
    "a large layer needs little memory",
    async () => {
      const large = buildImage({
        layers: [{ entries: [file("large", Buffer.concat([noise(40_000_000), Buffer.alloc(200_000_000)]))] }],
      });
      const result = await lastLine(run(await registry.push("large", "1", large)));
      expect(result.id).toBe(large.blobs[0]!.descriptor.digest);
      expect(Number(result.peak)).toBeLessThan(200_000_000);
    },
    60_000,
  );
});
