/** Archives of many images: they are recorded together, and whatever is killed or fails meanwhile leaves a store that is whole. */
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadedLines, loadImages } from "../../src/cli/places/load-images.ts";
import type { ImageIndex } from "../../src/spec/image.ts";
import { digestOf, hostArchitecture } from "../harness/image-builder.ts";
import { file, tar } from "../harness/tar.ts";
import { openTestImages, type TestImages } from "./test-images.ts";

setDefaultTimeout(120_000);

let base: string;
let root: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "galley-load-"));
  root = join(base, "store");
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const layer = tar([file("etc/motd", "one of many")]);
const config = (number: number, diffId = digestOf(layer)) =>
  JSON.stringify({
    os: "linux",
    architecture: hostArchitecture(),
    config: { Labels: { number: String(number) } },
    rootfs: { type: "layers", diff_ids: [diffId] },
  });

/** An archive of docker save; the configuration of image `lying` names another layer than the archive has. */
function archiveOf(count: number, lying = -1): string {
  const numbers = Array.from({ length: count }, (_, number) => number);
  const list = numbers.map((n) => ({ Config: `${n}.json`, RepoTags: [`many:${n}`], Layers: ["layer.tar"] }));
  const path = join(base, "archive.tar");
  const configs = numbers.map((n) =>
    file(`${n}.json`, n === lying ? config(n, `sha256:${"0".repeat(64)}`) : config(n)),
  );
  writeFileSync(path, tar([file("layer.tar", layer), ...configs, file("manifest.json", JSON.stringify(list))]));
  return path;
}

async function load(store: TestImages, path: string): Promise<readonly string[]> {
  const said: string[] = [];
  const signal = new AbortController().signal;
  await loadImages(store.images, path, {
    scratch: base,
    signal,
    loaded: (image) => said.push(loadedLines(image).trim()),
  });
  return said;
}

const namesIn = (store: TestImages) => store.images.list().flatMap(({ names }) => names);

/** Names in the layout's index, which other programs read. */
function namesInIndex(): readonly string[] {
  const index = JSON.parse(readFileSync(join(root, "content/index.json"), "utf8")) as ImageIndex;
  return index.manifests.map(({ annotations }) => annotations?.["io.containerd.image.name"] ?? "");
}

function expectWhole(store: TestImages): void {
  for (const { id, blobs, layers } of store.images.contents()) {
    for (const digest of blobs) {
      const bytes = readFileSync(join(root, "content/blobs", digest.replace(":", "/")));
      expect({ id, digest: digestOf(bytes) }).toEqual({ id, digest });
    }
    for (const diffId of layers) expect(store.snapshotter.has(diffId)).toBe(true);
  }
}

test("the index is written for many images at once, and all are there", async () => {
  const store = openTestImages(root);
  const path = archiveOf(300);
  const said = await load(store, path);
  expect(said).toEqual(Array.from({ length: 300 }, (_, number) => `Loaded image: many:${number}`));
  expect(namesIn(store).toSorted()).toEqual(said.map((line) => line.slice("Loaded image: ".length)).toSorted());
  expect(namesInIndex()).toHaveLength(300);
  expectWhole(store);
  expect(await store.images.collect()).toBe(0);
  store.database.close();
});

test("where one image is bad, those before it stay and are told of, and nothing of the bad one is left", async () => {
  const store = openTestImages(root);
  const said: string[] = [];
  const signal = new AbortController().signal;
  const work = loadImages(store.images, archiveOf(40, 25), {
    scratch: base,
    signal,
    loaded: (image) => said.push(loadedLines(image).trim()),
  });
  const failure = await work.then(
    () => "it was loaded",
    (fault: Error) => fault.message,
  );
  expect(failure).toContain("sha256:");
  expect(said).toHaveLength(25);
  expect(namesIn(store)).toHaveLength(25);
  expect(namesInIndex()).toHaveLength(25);
  expectWhole(store);
  const kept = store.images.contents().flatMap(({ blobs }) => blobs);
  expect(
    new Set(
      store
        .remains()
        .filter((path) => path.includes("blobs/"))
        .map((path) => path.split("/").at(-1)),
    ),
  ).toEqual(new Set(kept.map((digest) => digest.slice("sha256:".length))));
  await store.images.prune({ all: true });
  expect(store.remains()).toEqual([]);
  store.database.close();
});

test("killed at any moment, a load leaves what it had committed, whole, and the next one completes it", async () => {
  const [count, every] = [200, 10];
  const path = archiveOf(count);
  for (let round = 0; round < 8; round++) {
    const child = Bun.spawn(
      [process.execPath, join(import.meta.dir, "load-process.ts"), root, path, String(count), String(every)],
      { stdout: "pipe", stderr: "inherit" },
    );
    const least = await readUntil(child.stdout, round * 20);
    await Bun.sleep(round * 3);
    child.kill("SIGKILL");
    await child.exited;
    if (statSync(join(root, "galley.db"), { throwIfNoEntry: false }) === undefined) continue;
    const store = openTestImages(root);
    const names = namesIn(store);
    expect(names.length).toBeGreaterThanOrEqual(least);
    expect(names.length % every).toBe(0);
    if (names.length > 0) expect(namesInIndex().length).toBeGreaterThanOrEqual(names.length);
    expectWhole(store);
    store.database.close();
  }
  const store = openTestImages(root);
  await load(store, path);
  expect(namesIn(store)).toHaveLength(count);
  expect(namesInIndex()).toHaveLength(count);
  expectWhole(store);
  await store.images.prune({ all: true });
  expect(store.remains()).toEqual([]);
  store.database.close();
});

/** Reads numbers, a line each, until one is at least `wanted`; gives the last. */
async function readUntil(output: ReadableStream<Uint8Array>, wanted: number): Promise<number> {
  let text = "";
  for await (const chunk of output) {
    text += Buffer.from(chunk).toString();
    const last = Number(text.trim().split("\n").at(-1));
    if (last >= wanted) return last;
  }
  throw new Error("it ended before it was killed");
}
