/** Pulls of zstd:chunked layers, of which only what no layer of the store has is fetched; and all that may go wrong with that. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PullEvent } from "../../src/image/types.ts";
import { type Act, type Fault, type FaultsServer, startFaultsServer } from "../harness/faults-server.ts";
import { type BuiltImage, digestOf } from "../harness/image-builder.ts";
import { patience } from "../harness/patience.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { missing, testWith } from "../harness/requirements.ts";
import {
  archiveOf,
  type ChunkedLayer,
  chunkedLayer,
  type Ending,
  imageOf,
  sameSizes,
  withEnding,
} from "./chunked-image.ts";
import { openTestImages, type TestImages } from "./test-images.ts";

// A table of half a million entries takes its time beside other work.
setDefaultTimeout(20_000 * patience);

const needs = { root: true, commands: ["docker-registry"] };

let registry: Registry;
let faults: FaultsServer;
let root: string;
let store: TestImages;
let first: ChunkedLayer;
let second: ChunkedLayer;
beforeAll(async () => {
  if (missing(needs) !== undefined) return;
  [first, second] = [chunkedLayer(archiveOf(1)), chunkedLayer(archiveOf(2))];
  registry = await startRegistry();
  faults = await startFaultsServer(registry.url);
});
afterAll(async () => {
  await faults?.stop();
  await registry?.stop();
});
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "galley-partial-"));
  store = openTestImages(root);
});
afterEach(() => {
  faults?.heal();
  store.database.close();
  rmSync(root, { recursive: true, force: true });
});

let count = 0;
const push = (image: BuiltImage, tag: string, repository: string) => registry.push(repository, tag, image);
const layerOf = (image: BuiltImage) => image.blobs.at(-1)?.descriptor.digest ?? "";

interface Pulled {
  readonly digest: string;
  /** Bytes of the layer that were sent, and how the requests for them began. */
  readonly fetched: number;
  readonly ranges: readonly string[];
  readonly events: readonly PullEvent[];
}

/** Pulls an image through the faults server; it is whole, or this fails. */
async function pulled(repository: string, tag: string, image: BuiltImage): Promise<Pulled> {
  const events: PullEvent[] = [];
  const start = faults.requests.length;
  const reference = `${faults.host}/${repository}:${tag}`;
  const { image: record } = await store.images.pull(reference, { onProgress: (event) => events.push(event) });
  const digest = layerOf(image);
  const stored = readFileSync(join(store.content, "blobs", digest.replace(":", "/")));
  expect(digestOf(stored)).toBe(digest);
  const [lower = ""] = await store.snapshotter.lower(record.layers);
  expect(readFileSync(join(lower, "version"), "utf8")).toMatch(/^\d\n$/);
  expect(readdirSync(join(store.content, "ingest"))).toEqual([]);
  const requests = faults.requests.slice(start).filter(({ path, method }) => method === "GET" && path.includes(digest));
  return {
    digest: record.manifest.digest,
    fetched: requests.reduce((sum, request) => sum + faults.sent(request), 0),
    ranges: requests.map(({ headers }) => headers.get("range") ?? "whole"),
    events,
  };
}

/** Has two versions pushed and the first one pulled. */
async function firstPulled(from = first, to = second) {
  const repository = `team/app${++count}`;
  const [before, after] = [imageOf(from), imageOf(to)];
  await push(before, "1", repository);
  await push(after, "2", repository);
  await pulled(repository, "1", before);
  return { repository, before, after };
}

/** Has the first version pulled, or another donor, then the second version, with faults in between. */
async function update(
  { from = first, to = second }: { readonly from?: ChunkedLayer; readonly to?: ChunkedLayer } = {},
  ...injected: readonly Act[]
): Promise<Pulled & { readonly size: number }> {
  await store.images.prune({ all: true });
  const { repository, after } = await firstPulled(from, to);
  const path = layerOf(after);
  faults.inject(...injected.map((act): Fault => ({ path, act, after: 1 })));
  const result = await pulled(repository, "2", after);
  expect(result.digest).toBe(after.descriptor.digest);
  return { ...result, size: to.stored.length };
}

/** Waits until several parts of a repository's layer are asked for. */
async function askedForParts(repository: string): Promise<void> {
  const asked = () =>
    faults.requests.some((one) => one.path.includes(`/${repository}/`) && one.headers.get("range")?.includes(","));
  while (!asked()) await Bun.sleep(5);
}

describe("the second version of an image", () => {
  testWith(needs, "is fetched in parts: its tables, and the files that changed", async () => {
    const { fetched, size, ranges, events } = await update();
    expect(ranges[0]).toMatch(/^bytes=\d+-\d+$/);
    expect(ranges[1]).toMatch(/^bytes=\d+-\d+(,\d+-\d+)+$/);
    expect(ranges).toHaveLength(2);
    // Six of sixty files, and the tables.
    expect(fetched).toBeLessThan(size / 4);
    const [told] = events.filter((event) => event.kind === "skipping");
    expect(told?.total).toBe(size);
    // What the answers have around their parts is all that there is beside.
    const bytes = told?.bytes ?? 0;
    expect(fetched - (size - bytes)).toBeGreaterThan(0);
    expect(fetched - (size - bytes)).toBeLessThan(4000);
  });

  testWith(needs, "is fetched whole where the store has no layer of its kind", async () => {
    const image = imageOf(second);
    await push(image, "2", "team/alone");
    const { ranges, fetched, events } = await pulled("team/alone", "2", image);
    expect({ ranges, fetched }).toEqual({ ranges: ["whole"], fetched: second.stored.length });
    expect(events.filter(({ kind }) => kind === "skipping")).toEqual([]);
  });

  testWith(needs, "is fetched whole where next to nothing is in common", async () => {
    const { ranges } = await update({ from: chunkedLayer(sameSizes(1)) });
    expect(ranges).toEqual([expect.stringMatching(/^bytes=/), "whole"]);
  });

  testWith(needs, "can be pushed on, and is then what it was", async () => {
    await update();
    const name = `${faults.host}/team/app${count}:2`;
    const source = await store.images.source(name);
    const { descriptor } = await source.document(undefined);
    expect(descriptor.digest).toBe(imageOf(second).descriptor.digest);
    const chunks = await Array.fromAsync(source.blob({ mediaType: "", digest: layerOf(imageOf(second)), size: 0 }));
    expect(Buffer.concat(chunks).equals(second.stored)).toBeTrue();
  });

  testWith(needs, "goes on where a killed pull stopped", async () => {
    const { repository, after } = await firstPulled();
    faults.inject({ path: layerOf(after), after: 1, act: { hangAfter: 60_000 } });
    const script = join(import.meta.dir, "pull-process.ts");
    const child = Bun.spawn([process.execPath, script, root, `${faults.host}/${repository}:2`], { stdout: "pipe" });
    await askedForParts(repository);
    child.kill("SIGKILL");
    await child.exited;
    faults.heal();
    const { ranges } = await pulled(repository, "2", after);
    expect(ranges).not.toContain("whole");
    await store.images.remove(`${faults.host}/${repository}:1`);
    await store.images.remove(`${faults.host}/${repository}:2`);
    await store.images.collect();
    expect(store.remains()).toEqual([]);
  });

  testWith(needs, "is put together of a layer that is removed meanwhile", async () => {
    const { repository, before, after } = await firstPulled();
    faults.inject({ path: layerOf(after), after: 1, act: { delay: 1000 } });
    const pull = pulled(repository, "2", after);
    await askedForParts(repository);
    await store.images.remove(`${faults.host}/${repository}:1`);
    await store.images.collect();
    expect(readdirSync(join(store.content, "blobs/sha256"))).not.toContain(layerOf(before).slice(7));
    expect((await pull).ranges).toHaveLength(2);
  });
});

describe("a registry that", () => {
  testWith(needs, "gives one part at a time is asked so", async () => {
    const { fetched, size, ranges } = await update({}, { ranges: 1 });
    expect(ranges.length).toBeGreaterThan(2);
    expect(ranges.slice(2).every((range) => /^bytes=\d+-\d+$/.test(range))).toBeTrue();
    expect(fetched).toBeLessThan(size / 2);
  });

  testWith(needs, "refuses several parts at once is asked for one at a time", async () => {
    const { repository, after } = await firstPulled();
    faults.inject({ path: layerOf(after), after: 1, times: 1, act: { status: 416 } });
    const { ranges } = await pulled(repository, "2", after);
    expect(ranges).not.toContain("whole");
  });

  testWith(needs, "gives no parts serves the whole", async () => {
    const { ranges } = await update({}, { ranges: 0 });
    expect(ranges.at(-1)).not.toContain(",");
    expect(ranges.length).toBeLessThanOrEqual(4);
  });

  testWith(needs, "cuts the connection is asked for the rest", async () => {
    const { repository, after } = await firstPulled();
    faults.inject({ path: layerOf(after), after: 1, times: 1, act: { cutAfter: 30_000 } });
    const { fetched } = await pulled(repository, "2", after);
    expect(fetched).toBeLessThan(second.stored.length);
  });

  const headers = { "content-type": "multipart/byteranges; boundary=x" };
  const nonsense: Readonly<Record<string, Act>> = {
    "sends no parts": { replace: "no parts at all", headers },
    "sends parts without a place": { replace: "--x\r\ncontent-type: a/b\r\n\r\n0123456789\r\n--x--\r\n", headers },
    "sends other parts": { replace: `--x\r\ncontent-range: bytes 0-9/100\r\n\r\n0123456789\r\n--x--\r\n`, headers },
    "sends later parts": {
      replace: `--x\r\ncontent-range: bytes 600000-600009/9\r\n\r\n0123456789\r\n--x--\r\n`,
      headers,
    },
    "sends a part that never ends": { replace: `--x\r\ncontent-range: bytes 0-999999999/9\r\n\r\n01`, headers },
    "sends headers without end": { replace: `--x\r\n${"a: b\r\n".repeat(5000)}`, headers },
    "has changed a byte": { flipByteAt: 2000 },
    "fails for good": { status: 403 },
  };
  for (const [name, act] of Object.entries(nonsense)) {
    testWith(needs, `${name} is of no consequence`, async () => {
      const { repository, after } = await firstPulled();
      faults.inject({ path: layerOf(after), after: 1, times: 1, act });
      expect((await pulled(repository, "2", after)).digest).toBe(after.descriptor.digest);
    });
  }
});

describe("a table that", () => {
  const edited = (change: (entry: Record<string, unknown>, index: number) => unknown) => (ending: Ending) => ({
    ...ending,
    table: ending.table.map((text, index) => JSON.stringify(change(JSON.parse(text), index))),
  });
  const isFile = ({ type, offset }: Record<string, unknown>) => type === "reg" && typeof offset === "number";
  const lies: Readonly<Record<string, (ending: Ending) => Ending>> = {
    "names places outside of the blob": edited((entry) => (isFile(entry) ? { ...entry, endOffset: 2 ** 40 } : entry)),
    "names places that overlap": edited((entry) => (isFile(entry) ? { ...entry, offset: 100 } : entry)),
    "names places below zero": edited((entry) => (isFile(entry) ? { ...entry, offset: -5 } : entry)),
    "names places that are no numbers": edited((entry) => (isFile(entry) ? { ...entry, offset: "5" } : entry)),
    "has no digests": edited(({ digest: _, ...entry }) => entry),
    "begins with a chunk": (ending) => ({ ...ending, table: ['{"type":"chunk","offset":5}', ...ending.table] }),
    "is of brackets": (ending) => ({ ...ending, table: Array<string>(500_000).fill("{}") }),
    "is no JSON": (ending) => ({ ...ending, table: ["{"] }),
    "comes with nothing of tar-split": (ending) => ({ ...ending, split: "\n" }),
    "comes with a tar-split of other files": (ending) => ({
      ...ending,
      split: ending.split.replaceAll('"size":', '"size":1'),
    }),
    "comes with a tar-split of more files": (ending) => ({ ...ending, split: ending.split + ending.split }),
    "comes with a tar-split that is no JSON": (ending) => ({ ...ending, split: `{\n${ending.split}` }),
    "comes with a tar-split of a line without end": (ending) => ({ ...ending, split: "0".repeat(1 << 25) }),
    "comes with a tar-split of millions of lines": (ending) => ({ ...ending, split: "{}\n".repeat(2_000_001) }),
  };
  for (const [name, change] of Object.entries(lies)) {
    testWith(needs, `${name} is not used, neither for its own layer nor for another`, async () => {
      const liar = withEnding(second, change);
      expect((await update({ to: liar })).ranges.at(-1)).toBe("whole");
      expect((await update({ from: withEnding(first, change) })).digest).toBe(imageOf(second).descriptor.digest);
    });
  }

  testWith(needs, "names other files' digests makes a wrong blob, which is found and fetched whole", async () => {
    const digests = new Map<number, unknown>();
    const swapped = edited((entry, index) => {
      if (!isFile(entry)) return entry;
      digests.set(index, entry.digest);
      return { ...entry, digest: digests.get(index - 1) ?? entry.digest };
    });
    // Lengths would give it away: all files are of one size here.
    const same = (version: number) => chunkedLayer(sameSizes(version));
    const result = await update({ from: same(1), to: withEnding(same(2), swapped) });
    expect(result.ranges.at(-1)).toBe("whole");
    const other = await update({ from: withEnding(same(1), swapped), to: same(2) });
    expect(other.ranges.at(-1)).toBe("whole");
  });

  testWith(needs, "has entries of no kind that is known is used for the others", async () => {
    const odd = withEnding(second, (ending) => ({
      ...ending,
      table: ["null", "1", '{"type":"odd"}', ...ending.table],
    }));
    expect((await update({ to: odd })).ranges).not.toContain("whole");
  });

  testWith(needs, "has another digest than the descriptor says is not used", async () => {
    const { annotations } = second;
    const checksum = Object.keys(annotations).find((key) => key.endsWith("manifest-checksum")) ?? "";
    const wrong = { ...second, annotations: { ...annotations, [checksum]: `sha256:${"0".repeat(64)}` } };
    expect((await update({ to: wrong })).ranges).toEqual([expect.stringContaining("bytes="), "whole"]);
  });

  testWith(needs, "lies elsewhere than the descriptor says is not used", async () => {
    for (const position of ["0:10:10:1", "99999999:10:10:1", "5:5:99999999999:1", "a:b:c:d", "1:2:3:2", ""]) {
      const entries = Object.entries(second.annotations).map(([key, value]) => [
        key,
        key.endsWith("manifest-position") ? position : value,
      ]);
      const wrong = { ...second, annotations: Object.fromEntries(entries) };
      expect((await update({ to: wrong })).ranges.at(-1)).toBe("whole");
    }
  });

  testWith(needs, "comes without tar-split, as podman wrote them once, is not used", async () => {
    const entries = Object.entries(second.annotations).filter(([key]) => !key.includes("tarsplit"));
    const older = { ...second, annotations: Object.fromEntries(entries) };
    expect((await update({ to: older })).ranges).toEqual(["whole"]);
  });
});

describe("a layer of the store", () => {
  testWith(needs, "that was damaged is found out: what is made of it is fetched whole", async () => {
    const { repository, before, after } = await firstPulled();
    const path = join(store.content, "blobs", layerOf(before).replace(":", "/"));
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(7, 50_000, 200_000));
    expect((await pulled(repository, "2", after)).ranges.at(-1)).toBe("whole");
  });

  testWith(needs, "that is compressed otherwise is left alone", async () => {
    const { ranges } = await update({ from: chunkedLayer(archiveOf(1), 19) });
    expect(ranges.at(-1)).toBe("whole");
  });
});
