import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GalleyError } from "../../errors.ts";
import { mediaTypes } from "../../spec/image.ts";
import { partialPath } from "../content/ingest.ts";
import { digestOf } from "../digest.ts";
import type { PullEvent } from "../types.ts";
import { pull } from "./pull.ts";
import { MemoryTransport, memoryImage, memoryIndex, openTestStore, type TestStore } from "./test-parts.ts";

// A machine that does much else at the same time takes longer than the five seconds that are the default.
setDefaultTimeout(60_000);

let fixture: TestStore;
beforeEach(() => {
  fixture = openTestStore();
});
afterEach(() => fixture[Symbol.dispose]());

const noise = (size: number) => new Uint8Array(randomBytes(size));
const amd64 = { os: "linux", architecture: "amd64" };
const arm64 = { os: "linux", architecture: "arm64" };

const stored = () => readdirSync(join(fixture.paths.content, "blobs", "sha256")).map((hex) => `sha256:${hex}`);
const ingesting = () => readdirSync(fixture.store.content.ingestDirectory);
const rows = (table: string) => fixture.database.query<Record<string, unknown>, []>(`SELECT * FROM ${table}`).all();
const layoutIndex = () => JSON.parse(readFileSync(join(fixture.paths.content, "index.json"), "utf8"));

async function faultOf(work: Promise<unknown>): Promise<GalleyError> {
  const fault = await work.then(
    () => new Error("it did not fail"),
    (failure: unknown) => failure,
  );
  if (fault instanceof GalleyError) return fault;
  throw fault;
}

function nothingLeft(): void {
  expect(stored()).toEqual([]);
  expect(ingesting()).toEqual([]);
  expect(readdirSync(fixture.paths.layers)).toEqual([]);
  for (const table of ["images", "image_names", "pull_leases", "pull_lease_items"]) expect(rows(table)).toEqual([]);
}

describe("a pull", () => {
  test("brings in documents, layers and names", async () => {
    const image = memoryImage([noise(5000), "two", noise(3000)]);
    const result = await pull(fixture.store, new MemoryTransport(image), "app:1");
    expect(result).toMatchObject({ reference: "docker.io/library/app:1", digest: image.target.digest, changed: true });
    expect(result.image).toMatchObject({
      id: image.id,
      names: ["app:1"],
      digests: [`app@${image.target.digest}`],
      layers: image.diffIds,
      size: 8003,
    });
    expect(stored().sort()).toEqual([...image.blobs.keys()].sort());
    expect(ingesting()).toEqual([]);
    expect(rows("pull_leases")).toEqual([]);
    expect(layoutIndex().manifests).toEqual([
      {
        ...image.target,
        annotations: {
          "org.opencontainers.image.ref.name": "docker.io/library/app:1",
          "io.containerd.image.name": "docker.io/library/app:1",
        },
      },
    ]);
  });

  test("of what is there already asks for nothing", async () => {
    const transport = new MemoryTransport(memoryImage(["one", "two"]));
    await pull(fixture.store, transport, "app:1");
    transport.asked.length = 0;
    expect(await pull(fixture.store, transport, "app:1")).toMatchObject({ changed: false });
    expect(await pull(fixture.store, transport, "other:1")).toMatchObject({ changed: true });
    expect(transport.asked).toEqual([]);
  });

  test("fetches only the layers that are new, and each once", async () => {
    const shared = noise(4000);
    await pull(fixture.store, new MemoryTransport(memoryImage([shared])), "base");
    const image = memoryImage([shared, "empty", shared, "empty", "new"]);
    const transport = new MemoryTransport(image);
    await pull(fixture.store, transport, "app");
    const [base, empty, , , fresh] = image.layers;
    expect(transport.asked.filter((asked) => asked.startsWith(base!.digest))).toEqual([]);
    for (const layer of [empty, fresh]) {
      expect(transport.asked.filter((asked) => asked.startsWith(layer!.digest))).toEqual([`${layer!.digest}+0`]);
    }
  });

  test("takes Docker's documents, and layers of any compression", async () => {
    await pull(fixture.store, new MemoryTransport(memoryImage(["one"], { type: "docker" })), "docker:1");
    expect(fixture.store.table.name("docker.io/library/docker:1")?.target_type).toBe(mediaTypes.dockerManifest);
  });

  test("by digest gives no tag", async () => {
    const image = memoryImage(["one"]);
    const name = `app@${image.target.digest}`;
    const result = await pull(fixture.store, new MemoryTransport(image), name);
    expect(result.image).toMatchObject({ names: [], digests: [name] });
    expect((await pull(fixture.store, new MemoryTransport(image), `app:9@${image.target.digest}`)).image.names).toEqual(
      [],
    );
  });

  test("moves a tag to the newer image and leaves the older without it", async () => {
    const [old, young] = [memoryImage(["old"]), memoryImage(["young"])];
    await pull(fixture.store, new MemoryTransport(old), "app");
    await pull(fixture.store, new MemoryTransport(young), "app");
    expect(fixture.store.record(old.id).names).toEqual([]);
    expect(fixture.store.record(young.id).names).toEqual(["app:latest"]);
    expect(layoutIndex().manifests.map((entry: { digest: string }) => entry.digest)).toEqual([
      young.target.digest,
      old.target.digest,
    ]);
  });

  test("tells what it does", async () => {
    const image = memoryImage([noise(200_000)]);
    const events: PullEvent[] = [];
    await pull(fixture.store, new MemoryTransport(image), "a/b:c", { onProgress: (event) => events.push(event) });
    const [layer] = image.layers;
    const id = layer!.digest.slice(7, 19);
    const milestones = events.filter((event) => event.kind !== "downloading" && event.kind !== "extracting");
    expect(milestones).toEqual([
      { kind: "resolving", reference: "a/b:c" },
      { kind: "resolved", name: "a/b", tag: "c", digest: image.target.digest },
      { kind: "layer", id, status: "waiting", total: layer!.size },
      { kind: "layer", id, status: "downloaded", total: layer!.size },
      { kind: "layer", id, status: "complete", total: layer!.size },
      { kind: "done", digest: image.target.digest, imageId: image.id, changed: true },
    ]);
  });
});

describe("of an index", () => {
  const [first, second] = [memoryImage(["amd64"]), memoryImage(["arm64"], { platform: arm64 })];
  const index = memoryIndex([
    [amd64, first],
    [arm64, second],
  ]);

  test("the image of the platform is taken, and the name leads to the index", async () => {
    const transport = new MemoryTransport(index);
    const result = await pull(fixture.store, transport, "app", { platform: "linux/arm64" });
    expect(result).toMatchObject({ digest: index.target.digest, image: { id: second.id } });
    expect(result.image.digests).toEqual([`app@${index.target.digest}`]);
    expect((await pull(fixture.store, transport, "app", { platform: "linux/amd64" })).image.id).toBe(first.id);
    expect(stored()).toContain(index.target.digest);
  });

  test("a platform that is missing is told with those that are offered", async () => {
    const fault = await faultOf(pull(fixture.store, new MemoryTransport(index), "app", { platform: "linux/s390x" }));
    expect(fault.describe()).toContain("no matching manifest for linux/s390x");
    expect(fault.describe()).toContain("linux/amd64, linux/arm64");
    nothingLeft();
  });

  test("an image without an index is for its own platform only", async () => {
    const fault = await faultOf(pull(fixture.store, new MemoryTransport(first), "app", { platform: "linux/arm64" }));
    expect(fault.message).toBe("the image is for linux/amd64 only, not for linux/arm64");
    nothingLeft();
  });
});

describe("wrong content is refused and nothing is left", () => {
  const image = memoryImage([noise(50_000), "second"]);
  const altered = (digest: string, change: (bytes: Buffer) => Uint8Array) => {
    const blobs = new Map(image.blobs);
    blobs.set(digest, change(Buffer.from(blobs.get(digest)!)));
    return new MemoryTransport({ ...image, blobs });
  };
  const [layer] = image.layers;
  const rows: readonly (readonly [string, string, (bytes: Buffer) => Uint8Array, string])[] = [
    ["a longer layer", layer!.digest, (bytes) => Buffer.concat([bytes, Buffer.from("x")]), "longer than"],
    ["an altered layer", layer!.digest, (bytes) => bytes.fill(0, 100, 200), "data_loss"],
    ["a truncated layer", layer!.digest, (bytes) => bytes.subarray(0, 1000), "ended after 1000"],
    ["an altered configuration", image.id, (bytes) => bytes.fill(32, 1, 2), "its digest is"],
    ["an altered manifest", image.target.digest, (bytes) => bytes.fill(32, 1, 2), "its digest is"],
  ];
  for (const [name, digest, change, message] of rows) {
    test(name, async () => {
      const fault = await faultOf(pull(fixture.store, altered(digest, change), "app"));
      expect(fault.code).toBe("data_loss");
      if (message !== "data_loss") expect(fault.describe()).toContain(message);
      nothingLeft();
    });
  }

  test("a layer whose diff ID is another", async () => {
    const config = { rootfs: { type: "layers" as const, diff_ids: [digestOf("something else")] } };
    const fault = await faultOf(pull(fixture.store, new MemoryTransport(memoryImage(["one"], { config })), "app"));
    expect(fault.message).toContain("diff ID is");
    nothingLeft();
  });

  test("a configuration with another number of layers", async () => {
    const config = { rootfs: { type: "layers" as const, diff_ids: [] } };
    const fault = await faultOf(pull(fixture.store, new MemoryTransport(memoryImage(["one"], { config })), "app"));
    expect(fault.message).toContain("its manifest lists 1 layers and the configuration 0");
    nothingLeft();
  });

  test("an image for another system", async () => {
    const platform = { os: "windows", architecture: "amd64" };
    const fault = await faultOf(pull(fixture.store, new MemoryTransport(memoryImage(["one"], { platform })), "app"));
    expect(fault.message).toContain('operating system "windows"');
    nothingLeft();
  });
});

describe("documents that are no image's", () => {
  const rows: readonly (readonly [string, unknown, string])[] = [
    ["schema 1", { schemaVersion: 1, name: "app", fsLayers: [] }, "Docker's old format"],
    ["no JSON", "not json", "not a JSON object"],
    ["a list", [], "not a JSON object"],
    ["an unknown type", { schemaVersion: 2, mediaType: "text/x" }, "unknown type"],
    [
      "layers that are no descriptors",
      { mediaType: mediaTypes.ociManifest, config: 1, layers: [] },
      "no configuration",
    ],
    [
      "an index of nonsense",
      { mediaType: mediaTypes.ociIndex, manifests: [{ digest: "x" }] },
      "not one of descriptors",
    ],
    [
      "an artifact",
      {
        mediaType: mediaTypes.ociManifest,
        config: { mediaType: "application/vnd.cncf.helm.config.v1+json", digest: digestOf(""), size: 0 },
        layers: [],
      },
      "an artifact of type application/vnd.cncf.helm.config.v1+json",
    ],
  ];
  for (const [name, document, message] of rows) {
    test(name, async () => {
      const bytes = Buffer.from(typeof document === "string" ? document : JSON.stringify(document));
      const target = { mediaType: "", digest: digestOf(bytes), size: bytes.length };
      const image = { target, blobs: new Map([[target.digest, bytes]]), id: "", diffIds: [], layers: [] };
      expect((await faultOf(pull(fixture.store, new MemoryTransport(image), "app"))).message).toContain(message);
      nothingLeft();
    });
  }
});

describe("a pull that was interrupted", () => {
  const image = memoryImage([noise(50_000)]);
  const [layer] = image.layers;
  const cutAt = (transport: MemoryTransport, position: number, failure: unknown) => {
    transport.onChunk = (digest, at) => {
      if (digest === layer!.digest && at >= position) throw failure;
    };
  };

  test("is continued by the next, which fetches only the rest", async () => {
    const transport = new MemoryTransport(image);
    cutAt(transport, 20_000, new GalleyError("unavailable", "the line was cut"));
    expect((await faultOf(pull(fixture.store, transport, "app"))).message).toBe("the line was cut");
    expect(existsSync(partialPath(fixture.store.content, layer!.digest))).toBeTrue();
    await fixture.store.collect();
    transport.onChunk = undefined;
    transport.asked.length = 0;
    await pull(fixture.store, transport, "app");
    expect(transport.asked).toEqual([`${layer!.digest}+20000`]);
    expect(ingesting()).toEqual([]);
    expect(rows("pull_leases")).toEqual([]);
  });

  test("begins anew where what was left is damaged", async () => {
    fixture.store.content.prepare();
    writeFileSync(partialPath(fixture.store.content, layer!.digest), Buffer.alloc(30_000));
    const transport = new MemoryTransport(image);
    await pull(fixture.store, transport, "app");
    expect(transport.asked.slice(-2)).toEqual([`${layer!.digest}+30000`, `${layer!.digest}+0`]);
  });

  test("by its caller is told as canceled", async () => {
    const transport = new MemoryTransport(image);
    const controller = new AbortController();
    transport.onChunk = (digest) => {
      if (digest === layer!.digest) controller.abort(new Error("ctrl-c"));
    };
    const fault = await faultOf(pull(fixture.store, transport, "app", { signal: controller.signal }));
    expect(fault.code).toBe("canceled");
    expect(rows("images")).toEqual([]);
  });

  test("leaves nothing after a day", async () => {
    const transport = new MemoryTransport(image);
    cutAt(transport, 20_000, new GalleyError("unavailable", "the line was cut"));
    await faultOf(pull(fixture.store, transport, "app"));
    fixture.database.run("UPDATE pull_leases SET started = started - 25 * 3600 * 1000");
    await fixture.store.collect();
    nothingLeft();
  });
});

test("a stored blob that was damaged is fetched again", async () => {
  const image = memoryImage([noise(5000)]);
  const transport = new MemoryTransport(image);
  await pull(fixture.store, transport, "app");
  const [layer] = image.layers;
  for (const digest of [image.target.digest, image.id, layer!.digest]) {
    writeFileSync(fixture.store.content.pathOf(digest), Buffer.alloc(image.blobs.get(digest)!.length));
  }
  await fixture.snapshotter.remove(image.diffIds[0]!);
  await pull(fixture.store, transport, "app");
  for (const [digest, bytes] of image.blobs)
    expect(readFileSync(fixture.store.content.pathOf(digest))).toEqual(Buffer.from(bytes));
});

test("a stored blob that is gone when it is to be read is fetched again", async () => {
  const image = memoryImage([noise(5000)]);
  const transport = new MemoryTransport(image);
  await pull(fixture.store, transport, "app");
  await fixture.snapshotter.remove(image.diffIds[0]!);
  const { content } = fixture.store;
  const stream = content.stream.bind(content);
  content.stream = (digest) => {
    content.remove(digest);
    content.stream = stream;
    return stream(digest);
  };
  await pull(fixture.store, transport, "app");
  const [layer] = image.layers;
  expect(Buffer.from(content.read(layer!))).toEqual(Buffer.from(image.blobs.get(layer!.digest)!));
  expect(await fixture.snapshotter.has(image.diffIds[0]!)).toBeTrue();
});

test("two pulls of one image at once share the work", async () => {
  const image = memoryImage([noise(100_000), noise(80_000), "three"]);
  const [one, two] = [new MemoryTransport(image), new MemoryTransport(image)];
  for (const transport of [one, two]) transport.onChunk = () => Bun.sleep(0);
  const results = await Promise.all([pull(fixture.store, one, "app"), pull(fixture.store, two, "app")]);
  expect(results.map((result) => result.image.id)).toEqual([image.id, image.id]);
  for (const layer of image.layers) {
    expect([...one.asked, ...two.asked].filter((asked) => asked.startsWith(layer.digest))).toHaveLength(1);
  }
  expect(ingesting()).toEqual([]);
});

test("a collection during a pull takes nothing from it", async () => {
  const image = memoryImage([noise(60_000), "small"]);
  const transport = new MemoryTransport(image);
  transport.onChunk = async () => void (await fixture.store.collect());
  expect((await pull(fixture.store, transport, "app")).image.id).toBe(image.id);
  expect(stored().sort()).toEqual([...image.blobs.keys()].sort());
});
