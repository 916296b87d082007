/** Layers as indexes that the kernel mounts, and as directories, in one store. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { header } from "../../src/image/layers/tar/test-blocks.ts";
import { KeptLayers, type LayerForm } from "../../src/image/snapshot/kept-layers.ts";
import { runSnapshotterSuite, sampleLayer, streamOf } from "../../src/image/snapshot/snapshotter-suite.ts";
import { attachMount, close, mountDetachedOverlay } from "../../src/linux/sys/sys.ts";
import { removeLeftovers } from "../harness/leftovers.ts";
import { describeTree } from "./tree.ts";

class Store implements AsyncDisposable {
  readonly base = mkdtempSync(join(tmpdir(), "galley-kept-"));
  readonly layers = join(this.base, "layers");
  readonly mounts = join(this.base, "run/layers");

  open(form: LayerForm): KeptLayers {
    return new KeptLayers({ layers: this.layers, mounts: this.mounts, form });
  }

  remains(): readonly string[] {
    const names = (path: string) => (existsSync(path) ? readdirSync(path) : []);
    return [...names(join(this.layers, "ingest")), ...names(join(this.layers, "locks"))];
  }

  mounted(): readonly string[] {
    const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    return lines.map((line) => line.split(" ")[4] ?? "").filter((path) => path.startsWith(this.base));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeLeftovers([this.base]);
    rmSync(this.base, { recursive: true });
  }
}

for (const form of ["erofs", "directories", "auto"] as const) {
  runSnapshotterSuite(`kept layers as ${form}`, async () => {
    const store = new Store();
    return {
      snapshotter: store.open(form),
      another: () => store.open(form),
      remains: () => store.remains().length,
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  });
}

describe("mounted layers", () => {
  const layer = sampleLayer(header({ name: "a/", flag: "5" }), header({ name: "a/f", size: 3 }, "abc"));
  const opaque = sampleLayer(header({ name: ".wh..wh..opq" }), header({ name: "f" }));
  const top = sampleLayer(header({ name: "top" }));

  test("are mounted once, for all processes at once, and unmounted when they are removed", async () => {
    await using store = new Store();
    await store.open("erofs").apply(layer.diffId, streamOf(layer.bytes));
    expect(store.mounted()).toEqual([]);
    const lowers = await Promise.all([...Array(8)].map(() => store.open("erofs").lower([layer.diffId])));
    expect(new Set(lowers.flat()).size).toBe(1);
    expect(store.mounted()).toEqual(lowers[0] as string[]);
    await store.open("auto").remove(layer.diffId);
    expect(store.mounted()).toEqual([]);
    expect(readdirSync(store.mounts)).toEqual([]);
  });

  test("a layer that removes all below it hides the lower ones", async () => {
    await using store = new Store();
    const snapshotter = store.open("erofs");
    for (const { diffId, bytes } of [layer, opaque, top]) await snapshotter.apply(diffId, streamOf(bytes));
    const lower = await snapshotter.lower([layer.diffId, opaque.diffId, top.diffId]);
    expect(lower.map((directory) => readdirSync(directory))).toEqual([["top"], ["f"]]);
  });

  test("stand beside directories of one store, whatever new layers become", async () => {
    await using store = new Store();
    await store.open("directories").apply(layer.diffId, streamOf(layer.bytes));
    await store.open("erofs").apply(top.diffId, streamOf(top.bytes));
    const lower = await store.open("directories").lower([layer.diffId, top.diffId]);
    expect(lower.map((directory) => readdirSync(directory))).toEqual([["top"], ["a"]]);
    expect(store.mounted()).toEqual([lower[0] as string]);
    expect((await store.open("auto").list()).length).toBe(2);
  });

  test("come back after their mounts went, as with a reboot", async () => {
    await using store = new Store();
    const snapshotter = store.open("erofs");
    await snapshotter.apply(layer.diffId, streamOf(layer.bytes));
    await snapshotter.lower([layer.diffId]);
    await removeLeftovers([store.base]);
    rmSync(join(store.base, "run"), { recursive: true });
    const [path = ""] = await store.open("auto").lower([layer.diffId]);
    expect(readFileSync(join(path, "a/f"), "utf8")).toBe("abc");
  });
});

describe("conversion", () => {
  const layer = sampleLayer(
    header({ name: "a/", flag: "5", mtime: 1000 }),
    header({ name: "a/f", size: 3, mtime: 2000 }, "abc"),
    header({ name: "a/.wh..wh..opq" }),
    header({ name: "link", flag: "1", linkName: "a/f" }),
  );
  const opaque = sampleLayer(header({ name: ".wh..wh..opq" }), header({ name: "f" }));
  const nothing = () => {
    throw new Error("the tar is kept");
  };

  test("there and back gives the same files, and leaves nothing", async () => {
    await using store = new Store();
    const snapshotter = store.open("directories");
    for (const { diffId, bytes } of [layer, opaque]) await snapshotter.apply(diffId, streamOf(bytes));
    const ids = [layer.diffId, opaque.diffId, layer.diffId];
    const seen = async () => (await snapshotter.lower(ids)).map((path) => describeTree(path, { times: false }));
    const before = await seen();
    for (const { diffId, bytes } of [layer, opaque]) await snapshotter.convert(diffId, "erofs", () => streamOf(bytes));
    expect(snapshotter.formOf(layer.diffId)).toBe("erofs");
    expect(await seen()).toEqual(before);
    expect(store.mounted()).toHaveLength(2);
    for (const { diffId } of [layer, opaque]) await snapshotter.convert(diffId, "directories", nothing);
    expect(snapshotter.formOf(layer.diffId)).toBe("directories");
    expect(await seen()).toEqual(before);
    expect([...store.mounted(), ...store.remains()]).toEqual([]);
  });

  test("an overlay on a mounted layer goes on while the layer becomes a directory", async () => {
    await using store = new Store();
    const snapshotter = store.open("erofs");
    await snapshotter.apply(layer.diffId, streamOf(layer.bytes));
    for (const name of ["upper", "work", "root"]) mkdirSync(join(store.base, name));
    const lower = await snapshotter.lower([layer.diffId]);
    const fd = mountDetachedOverlay({ lower, upper: join(store.base, "upper"), work: join(store.base, "work") });
    attachMount(fd, join(store.base, "root"));
    close(fd);
    await snapshotter.convert(layer.diffId, "directories", nothing);
    expect(store.mounted()).toEqual([join(store.base, "root")]);
    expect(readFileSync(join(store.base, "root/a/f"), "utf8")).toBe("abc");
    expect(readdirSync(join(store.base, "root/a"))).toEqual(["f"]);
  });

  test("another layer's content leaves all as it was", async () => {
    await using store = new Store();
    const snapshotter = store.open("directories");
    await snapshotter.apply(layer.diffId, streamOf(layer.bytes));
    const converted = snapshotter.convert(layer.diffId, "erofs", () => streamOf(opaque.bytes));
    await expect(converted).rejects.toMatchObject({ code: "data_loss", subject: layer.diffId });
    expect(snapshotter.formOf(layer.diffId)).toBe("directories");
    expect(store.remains()).toEqual([]);
  });
});
