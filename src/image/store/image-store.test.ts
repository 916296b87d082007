import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ImageConfig } from "../../spec/image.ts";
import { chainIds } from "../chain-id.ts";
import { openImages } from "../images.ts";
import { pull } from "../pull/pull.ts";
import { type MemoryImage, MemoryTransport, memoryImage, openTestStore, type TestStore } from "../pull/test-parts.ts";
import { Ingest } from "../snapshot/ingest.ts";
import { OverlayDirectories } from "../snapshot/overlay-directories.ts";
import type { Images, ImageUser } from "../types.ts";

// A machine that does much else at the same time takes longer than the five seconds that are the default.
setDefaultTimeout(60_000);

let fixture: TestStore;
let images: Images;
let users: Record<string, readonly ImageUser[]>;
beforeEach(() => {
  fixture = openTestStore();
  users = {};
  const { database, paths, snapshotter } = fixture;
  images = openImages({ database, paths, snapshotter, inUse: (id) => users[id] ?? [] });
});
afterEach(() => fixture[Symbol.dispose]());

async function add(name: string, layers: readonly string[], config: Partial<ImageConfig> = {}): Promise<MemoryImage> {
  const image = memoryImage(layers, { config });
  await pull(fixture.store, new MemoryTransport(image), name);
  return image;
}

const container = (running: boolean): ImageUser => ({ id: "c0ffee".repeat(10), name: "box", running });
const blobs = () => readdirSync(join(fixture.paths.content, "blobs", "sha256"));
const layers = () => readdirSync(fixture.paths.layers);
const lines = (items: readonly object[]) =>
  items.map((item) =>
    Object.entries(item)[0]!
      .join(" ")
      .replace(/(sha256:.{12}).*/, "$1"),
  );

describe("an image is found", () => {
  test("by name, digest, ID, and the beginning of its ID", async () => {
    const image = await add("team/app:1", ["one"]);
    const hex = image.id.slice(7);
    for (const text of [
      "team/app:1",
      "docker.io/team/app:1",
      `team/app@${image.target.digest}`,
      `team/app:other@${image.target.digest}`,
      image.id,
      hex,
      hex.slice(0, 12),
      hex.slice(0, 1),
      `sha256:${hex.slice(0, 5)}`,
    ]) {
      expect(images.find(text)?.id).toBe(image.id);
    }
    expect(images.find("team/app")).toBeUndefined();
    expect(images.find("zz")).toBeUndefined();
    expect(() => images.get("team/app")).toThrow("No such image: team/app:latest");
    expect(() => images.get("Upper")).toThrow("must be lowercase");
  });

  test("by name before ID, and not where the ID is ambiguous", async () => {
    const made: MemoryImage[] = [];
    for (let n = 0; n < 17; n++) made.push(await add(`app:${n}`, [`layer ${n}`]));
    const firsts = made.map((image) => image.id.slice(7, 8));
    const twice = firsts.find((digit, position) => firsts.indexOf(digit) !== position)!;
    expect(() => images.get(twice)).toThrow("more than one image's ID begins so");
    images.tag("app:3", twice);
    expect(images.get(twice).id).toBe(made[3]!.id);
  });

  test("for its platform only, if one is asked for", async () => {
    await add("app", ["one"]);
    expect(images.find("app", { platform: "linux/amd64" })).toBeDefined();
    expect(images.find("app", { platform: "linux/arm64" })).toBeUndefined();
  });
});

describe("a tag", () => {
  test("is another name, and moves", async () => {
    const [one, two] = [await add("one", ["1"]), await add("two", ["2"])];
    images.tag("one", "host:5000/copy:x");
    expect(images.get("host:5000/copy:x").names).toEqual(["one:latest", "host:5000/copy:x"]);
    images.tag(two.id, "host:5000/copy:x");
    expect(images.get("host:5000/copy:x").id).toBe(two.id);
    expect(images.get(one.id).names).toEqual(["one:latest"]);
  });

  test("is refused where it can be none", async () => {
    const image = await add("one", ["1"]);
    expect(() => images.tag("none", "x")).toThrow("No such image: none:latest");
    expect(() => images.tag("one", `x@${image.target.digest}`)).toThrow("a tag with a digest reference");
    expect(() => images.tag("one", "sha256:abc")).toThrow("ambiguous tag using digest algorithm");
    expect(() => images.tag("one", "x:")).toThrow("invalid reference format");
  });
});

describe("rmi", () => {
  test("of the last name removes names, image, layers and content", async () => {
    const image = await add("app:1", ["bottom", "top"]);
    const chains = chainIds(image.diffIds);
    expect(await images.remove("app:1")).toEqual([
      { untagged: "app:1" },
      { untagged: `app@${image.target.digest}` },
      { deleted: image.id },
      { deleted: chains[1]! },
      { deleted: chains[0]! },
    ]);
    expect([blobs(), layers(), readdirSync(fixture.store.content.ingestDirectory)]).toEqual([[], [], []]);
    expect(images.list()).toEqual([]);
  });

  test("of one of several names takes away the name alone", async () => {
    const image = await add("app:1", ["one"]);
    images.tag("app:1", "app:2");
    images.tag("app:1", "other:1");
    expect(await images.remove("app:1")).toEqual([{ untagged: "app:1" }]);
    expect(await images.remove("app:2")).toEqual([{ untagged: "app:2" }, { untagged: `app@${image.target.digest}` }]);
    expect(images.get("other:1").id).toBe(image.id);
  });

  test("by ID removes names of one repository, and more by force", async () => {
    const image = await add("app:1", ["one"]);
    images.tag("app:1", "other:1");
    const short = image.id.slice(7, 19);
    await expect(images.remove(short)).rejects.toThrow(
      `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
    );
    expect(lines(await images.remove(short, { force: true }))).toHaveLength(5);
    expect(images.list()).toEqual([]);
  });

  test("keeps layers that another image has", async () => {
    await add("one", ["shared", "one"]);
    const other = await add("two", ["shared", "two"]);
    const removed = await images.remove("one");
    expect(removed.filter((item) => "deleted" in item)).toHaveLength(2);
    expect(layers().sort()).toEqual(other.diffIds.map((id) => id.replace(":", "-")).sort());
    await images.unpack(images.get("two"));
  });

  test("of an image that a stopped container uses needs force, and keeps it for the container", async () => {
    const image = await add("app:1", ["one"]);
    users[image.id] = [container(false)];
    await expect(images.remove("app:1")).rejects.toThrow(
      'conflict: unable to remove repository reference "app:1" (must force) - container c0ffeec0ffee is using',
    );
    await expect(images.remove(image.id)).rejects.toThrow(
      "(must be forced) - image is being used by stopped container",
    );
    await images.remove("app:1", { force: true });
    expect(images.find(image.id)).toBeUndefined();
    expect(images.list()).toEqual([]);
    expect(images.ofContainer(image.id).layers).toEqual(image.diffIds);
    expect(layers()).toHaveLength(1);
    users = {};
    await images.collect();
    expect([blobs(), layers()]).toEqual([[], []]);
    expect(() => images.ofContainer(image.id)).toThrow("No such image");
  });

  test("of an image that a running container uses takes away the name at most", async () => {
    const image = await add("app:1", ["one"]);
    users[image.id] = [container(true)];
    await expect(images.remove(image.id, { force: true })).rejects.toThrow(
      "(cannot be forced) - image is being used by running",
    );
    expect(lines(await images.remove("app:1", { force: true }))).toEqual([
      "untagged app:1",
      lines([{ untagged: `app@${image.target.digest}` }])[0]!,
    ]);
    expect(images.get(image.id).names).toEqual([]);
  });

  test("of what is not there is told in docker's words", async () => {
    await expect(images.remove("app")).rejects.toThrow("No such image: app:latest");
  });
});

test("an image that was removed by force comes back when it is pulled again", async () => {
  const image = await add("app", ["one"]);
  users[image.id] = [container(false)];
  await images.remove("app", { force: true });
  await add("app", ["one"]);
  expect(images.get("app").id).toBe(image.id);
});

test("prune removes what has no tag, or with all what no container uses", async () => {
  const old = await add("app", ["old"]);
  const young = await add("app", ["young"]);
  const used = await add("used", ["used"]);
  users[used.id] = [container(false)];
  const first = await images.prune();
  expect(first.removed).toContainEqual({ deleted: old.id });
  expect(first.reclaimed).toBeGreaterThan(0);
  expect(
    images
      .list()
      .map((image) => image.id)
      .sort(),
  ).toEqual([young.id, used.id].sort());
  expect((await images.prune({ all: true })).removed).toContainEqual({ untagged: "app:latest" });
  expect(images.list().map((image) => image.id)).toEqual([used.id]);
});

test("a collection deletes what nothing needs and nothing else", async () => {
  const image = await add("app", ["one"]);
  const { content } = fixture.store;
  const stray = `sha256:${"0".repeat(64)}`;
  writeFileSync(content.pathOf(stray), "stray");
  writeFileSync(join(content.ingestDirectory, `sha256-${"0".repeat(64)}`), "partial");
  writeFileSync(join(content.ingestDirectory, `blob-sha256-${"0".repeat(64)}.lock`), "");
  writeFileSync(join(fixture.paths.layers, `sha256-${"0".repeat(64)}`), "7");
  expect(await images.collect()).toBe(5 + 7 + 7);
  expect(blobs().sort()).toEqual([...image.blobs.keys()].map((digest) => digest.slice(7)).sort());
  expect(readdirSync(content.ingestDirectory)).toEqual([]);
  expect(layers()).toHaveLength(1);
});

test("layers that were lost are unpacked again from what is kept", async () => {
  const image = await add("app", ["one", "two"]);
  await fixture.snapshotter.remove(image.diffIds[1]!);
  await images.unpack(images.get("app"));
  expect(layers()).toHaveLength(2);
  await fixture.snapshotter.remove(image.diffIds[0]!);
  fixture.store.content.remove(image.layers[0]!.digest);
  await expect(images.unpack(images.get("app"))).rejects.toThrow("the layer is gone");
});

test("an image may come from this process", async () => {
  const tar = Buffer.from("a tar");
  const source = memoryImage([tar]);
  async function* open(): AsyncGenerator<Uint8Array> {
    yield tar;
  }
  const config = { os: "linux", architecture: "amd64", rootfs: { type: "layers" as const, diff_ids: source.diffIds } };
  const given = { config, layers: [{ diffId: source.diffIds[0]!, open }], names: ["busybox", "mine:1"] };
  const image = await images.importImage(given);
  expect(image).toMatchObject({ names: ["busybox:latest", "mine:1"], layers: source.diffIds, size: 5 });
  expect((await images.importImage(given)).id).toBe(image.id);
  expect(images.get("mine:1").id).toBe(image.id);
  const wrong = {
    ...given,
    layers: [
      {
        diffId: source.diffIds[0]!,
        open: async function* () {
          yield Buffer.from("other");
        },
      },
    ],
  };
  await images.remove(image.id, { force: true });
  await expect(images.importImage(wrong)).rejects.toThrow("not what its descriptor says");
  await expect(images.importImage({ ...given, layers: [] })).rejects.toThrow("not those that the configuration lists");
  await images.collect();
  expect([blobs(), layers()]).toEqual([[], []]);
});

test("a store that was never written to is read without being made", () => {
  expect(images.list()).toEqual([]);
  expect(images.find("busybox")).toBeUndefined();
  expect(existsSync(fixture.paths.content)).toBeFalse();
});

test("a collection takes what killed processes left of layers, and leaves what one is at work on", async () => {
  const { database, paths } = fixture;
  const { layers } = paths;
  const kept = openImages({ database, paths, snapshotter: new OverlayDirectories(layers), inUse: () => [] });
  const left = join(layers, "ingest", "left");
  mkdirSync(left, { recursive: true });
  writeFileSync(join(left, "layer.tar"), Buffer.alloc(5000));
  using work = Ingest.create(layers);
  expect(await kept.collect()).toBe(5000);
  expect(readdirSync(join(layers, "ingest"))).toEqual([work.name]);
});
