import { describe, expect, test } from "bun:test";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { header } from "../../src/image/layers/tar/test-blocks.ts";
import { OverlayDirectories } from "../../src/image/snapshot/overlay-directories.ts";
import { runSnapshotterSuite, sampleLayer, streamOf } from "../../src/image/snapshot/snapshotter-suite.ts";
import { tryLockFile } from "../../src/linux/sys/sys.ts";

function newStore(): string {
  return join(mkdtempSync(join(tmpdir(), "galley-layers-")), "layers");
}

/** Names in the directories for what is unfinished, which the contract wants empty when nothing goes on. */
function remainsOf(layers: string): string[] {
  return ["ingest", "locks"].flatMap((name) => (existsSync(join(layers, name)) ? readdirSync(join(layers, name)) : []));
}

runSnapshotterSuite("overlay directories", async () => {
  const layers = newStore();
  return {
    snapshotter: new OverlayDirectories(layers),
    another: () => new OverlayDirectories(layers),
    remains: () => remainsOf(layers).length,
    [Symbol.asyncDispose]: async () => rmSync(join(layers, ".."), { recursive: true }),
  };
});

describe("overlay directories", () => {
  const layer = sampleLayer(header({ name: "a/", flag: "5" }), header({ name: "a/f", size: 3 }, "abc"));

  test("a layer that removes all below it hides the lower directories", async () => {
    const layers = newStore();
    const snapshotter = new OverlayDirectories(layers);
    const opaque = sampleLayer(header({ name: ".wh..wh..opq" }), header({ name: "f" }));
    const top = sampleLayer(header({ name: "top" }));
    for (const { diffId, bytes } of [layer, opaque, top]) await snapshotter.apply(diffId, streamOf(bytes));
    const lower = await snapshotter.lower([layer.diffId, opaque.diffId, top.diffId]);
    expect(lower.map((directory) => readdirSync(directory))).toEqual([["top"], ["f"]]);
    expect(lstatSync(lower[1]!).isDirectory()).toBe(true);
    rmSync(join(layers, ".."), { recursive: true });
  });

  test("what a killed process left is deleted by the next one, what a living one makes is not", async () => {
    const layers = newStore();
    const snapshotter = new OverlayDirectories(layers);
    const dead = join(layers, "ingest/0000000000000001");
    mkdirSync(join(dead, "diff/deep"), { recursive: true });
    writeFileSync(join(dead, "diff/deep/f"), "x");
    let during: string[] = [];
    async function* slow() {
      yield* streamOf(layer.bytes);
      const other = sampleLayer(header({ name: "other" }));
      await new OverlayDirectories(layers).apply(other.diffId, streamOf(other.bytes));
      during = remainsOf(layers);
    }
    await snapshotter.apply(layer.diffId, slow());
    expect(during.filter((name) => name.length === 16)).toHaveLength(1);
    expect(existsSync(dead)).toBe(false);
    expect(remainsOf(layers)).toEqual([]);
    rmSync(join(layers, ".."), { recursive: true });
  });

  test("a process that is killed while it unpacks leaves a store that the next one completes", async () => {
    const layers = newStore();
    const program = `
      import { OverlayDirectories } from "${join(import.meta.dir, "../../src/image/snapshot/overlay-directories.ts")}";
      async function* tar() {
        yield Buffer.from("${layer.bytes.subarray(0, 1400).toString("base64")}", "base64");
        await Bun.sleep(0);
        console.log("half");
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      }
      await new OverlayDirectories("${layers}").apply("${layer.diffId}", tar());
    `;
    const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
    const { value } = await child.stdout.getReader().read();
    expect(Buffer.from(value ?? []).toString()).toBe("half\n");
    const snapshotter = new OverlayDirectories(layers);
    expect(snapshotter.has(layer.diffId)).toBe(false);
    const controller = new AbortController();
    const waiting = snapshotter.apply(layer.diffId, streamOf(layer.bytes), { signal: controller.signal });
    expect(await Promise.race([waiting, Bun.sleep(50).then(() => "waits")])).toBe("waits");
    child.kill("SIGKILL");
    await child.exited;
    expect(await waiting).toEqual({ size: 3 });
    expect(remainsOf(layers)).toEqual([]);
    rmSync(join(layers, ".."), { recursive: true });
  });

  test("a layer's directory without its files is made anew", async () => {
    const layers = newStore();
    const snapshotter = new OverlayDirectories(layers);
    await snapshotter.apply(layer.diffId, streamOf(layer.bytes));
    const [directory = ""] = await snapshotter.lower([layer.diffId]);
    rmSync(directory, { recursive: true });
    expect(snapshotter.has(layer.diffId)).toBe(false);
    expect(await snapshotter.apply(layer.diffId, streamOf(layer.bytes))).toEqual({ size: 3 });
    expect(remainsOf(layers)).toEqual([]);
    rmSync(join(layers, ".."), { recursive: true });
  });

  test("the lock of a layer is that of the process that unpacks it", async () => {
    const layers = newStore();
    async function* tar() {
      yield* streamOf(layer.bytes);
      expect(tryLockFile(join(layers, "locks", layer.diffId.replace(":", "-")), "exclusive")).toBeUndefined();
    }
    await new OverlayDirectories(layers).apply(layer.diffId, tar());
    rmSync(join(layers, ".."), { recursive: true });
  });
});
