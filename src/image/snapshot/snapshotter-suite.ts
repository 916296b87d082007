/** The contract of {@link Snapshotter}, which every implementation runs. It makes devices and owners, so it needs root. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { archive, header, pax, record } from "../layers/tar/test-blocks.ts";
import type { Snapshotter } from "./snapshotter.ts";

/** What a suite needs of an implementation: a snapshotter on an empty store, and others on the same store. */
export interface SnapshotterFixture extends AsyncDisposable {
  readonly snapshotter: Snapshotter;
  /** Another one on the same store, as another process would have it. */
  another(): Snapshotter;
  /** Number of files and directories of the store that belong to no kept layer. */
  remains(): number;
}

/** A tar and its diff ID. */
export interface SampleLayer {
  readonly diffId: string;
  readonly bytes: Buffer;
}

/** A layer of these parts, as `archive` takes them. */
export function sampleLayer(...parts: readonly Uint8Array[]): SampleLayer {
  const bytes = archive(...parts);
  return { bytes, diffId: diffIdOf(bytes) };
}

function diffIdOf(bytes: Uint8Array): string {
  return `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;
}

/** The layer's tar as a stream of small chunks; `onRead` is called for each. */
export async function* streamOf(bytes: Uint8Array, onRead?: () => void, size = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    onRead?.();
    yield bytes.subarray(at, at + size);
    await Bun.sleep(0);
  }
}

const base = sampleLayer(
  header({ name: "etc/", flag: "5", mode: 0o755, mtime: 1000 }),
  header({ name: "etc/motd", mode: 0o640, uid: 7, gid: 8, size: 5, mtime: 2000 }, "hello"),
  header({ name: "etc/link", flag: "2", linkName: "/etc/motd" }),
);
const upper = sampleLayer(
  header({ name: "etc/", flag: "5" }),
  header({ name: "etc/.wh.motd" }),
  header({ name: "new" }),
);

/** Declares the tests. */
export function runSnapshotterSuite(name: string, make: () => Promise<SnapshotterFixture>): void {
  describe(name, () => {
    let fixture: SnapshotterFixture;
    let snapshotter: Snapshotter;
    beforeEach(async () => {
      fixture = await make();
      snapshotter = fixture.snapshotter;
    });
    afterEach(async () => await fixture[Symbol.asyncDispose]());

    const apply = (layer: SampleLayer) => snapshotter.apply(layer.diffId, streamOf(layer.bytes));

    test("keeps a layer, for every process, until it is removed", async () => {
      expect(await snapshotter.has(base.diffId)).toBe(false);
      expect(await apply(base)).toEqual({ size: 5 });
      expect(await fixture.another().has(base.diffId)).toBe(true);
      expect(await fixture.another().list()).toEqual([{ diffId: base.diffId, size: 5 }]);
      await fixture.another().remove(base.diffId);
      expect(await snapshotter.has(base.diffId)).toBe(false);
      expect(await snapshotter.list()).toEqual([]);
      expect(fixture.remains()).toBe(0);
    });

    test("gives files with their owners, modes and times", async () => {
      await apply(base);
      const [directory = ""] = await snapshotter.lower([base.diffId]);
      expect(readFileSync(join(directory, "etc/motd"), "utf8")).toBe("hello");
      expect(lstatSync(join(directory, "etc/motd"))).toMatchObject({
        mode: 0o100640,
        uid: 7,
        gid: 8,
        mtimeMs: 2_000_000,
      });
      expect(lstatSync(join(directory, "etc"))).toMatchObject({ mode: 0o40755, mtimeMs: 1_000_000 });
      expect(lstatSync(join(directory, "etc/link")).isSymbolicLink()).toBe(true);
    });

    test("gives the directories topmost first, each once", async () => {
      await apply(base);
      await apply(upper);
      const both = await snapshotter.lower([base.diffId, upper.diffId]);
      expect(both).toHaveLength(2);
      expect(readdirSync(both[0] ?? "").sort()).toEqual(["etc", "new"]);
      const twice = await snapshotter.lower([upper.diffId, base.diffId, upper.diffId]);
      expect(twice).toEqual(both);
    });

    test("has removals in overlayfs' own form", async () => {
      await apply(upper);
      const [directory = ""] = await snapshotter.lower([upper.diffId]);
      expect(lstatSync(join(directory, "etc/motd"))).toMatchObject({ mode: 0o20000, rdev: 0 });
    });

    test("does not give a layer that it does not have", async () => {
      await apply(base);
      await expect(snapshotter.lower([base.diffId, upper.diffId])).rejects.toMatchObject({
        code: "not_found",
        subject: upper.diffId,
      });
    });

    test("reads nothing of a layer that it has", async () => {
      await apply(base);
      let reads = 0;
      expect(
        await snapshotter.apply(
          base.diffId,
          streamOf(base.bytes, () => reads++),
        ),
      ).toEqual({ size: 5 });
      expect(reads).toBe(0);
    });

    test("does the work once when two want the same layer", async () => {
      const readers = new Set<string>();
      const one = snapshotter.apply(
        base.diffId,
        streamOf(base.bytes, () => readers.add("one")),
      );
      const two = fixture.another().apply(
        base.diffId,
        streamOf(base.bytes, () => readers.add("two")),
      );
      expect(await Promise.all([one, two])).toEqual([{ size: 5 }, { size: 5 }]);
      expect(readers.size).toBe(1);
      expect(fixture.remains()).toBe(0);
    });

    test("counts the bytes after the archive's end into the digest", async () => {
      const bytes = Buffer.concat([base.bytes, Buffer.alloc(5000, "rubbish")]);
      await expect(snapshotter.apply(base.diffId, streamOf(bytes))).rejects.toMatchObject({ code: "data_loss" });
      await snapshotter.apply(diffIdOf(bytes), streamOf(bytes));
    });

    test("takes an empty layer", async () => {
      const empty = sampleLayer();
      expect(await apply(empty)).toEqual({ size: 0 });
      expect(readdirSync((await snapshotter.lower([empty.diffId]))[0] ?? "")).toEqual([]);
    });

    async function* breaking() {
      yield base.bytes.subarray(0, 600);
      throw new Error("the wire broke");
    }
    const failures: readonly (readonly [string, SampleLayer, (() => AsyncIterable<Uint8Array>) | undefined, object])[] =
      [
        ["another layer's content", { ...upper, bytes: base.bytes }, undefined, { code: "data_loss" }],
        ["a tar that is cut short", { ...base, bytes: base.bytes.subarray(0, 1600) }, undefined, { code: "data_loss" }],
        ["no tar at all", { ...base, bytes: Buffer.alloc(2000, "x") }, undefined, { code: "invalid_argument" }],
        ["a name that leads out", sampleLayer(header({ name: "../x" })), undefined, { code: "invalid_argument" }],
        ["a stream that fails", base, breaking, { message: "the wire broke" }],
        [
          "a record without end",
          sampleLayer(pax(record("uid", "x")), header({ name: "n" })),
          undefined,
          { code: "invalid_argument" },
        ],
      ];
    test.each([...failures])("keeps nothing of %s", async (_, layer, source, expected) => {
      const failure = await snapshotter
        .apply(layer.diffId, source?.() ?? streamOf(layer.bytes))
        .catch((thrown: unknown) => thrown);
      expect(failure).toMatchObject({ subject: layer.diffId, ...expected });
      expect(await snapshotter.has(layer.diffId)).toBe(false);
      expect(await snapshotter.list()).toEqual([]);
      expect(fixture.remains()).toBe(0);
    });

    test("stops when it is called off, and keeps nothing", async () => {
      const controller = new AbortController();
      const tar = streamOf(base.bytes, () => controller.abort(), 512);
      const applied = snapshotter.apply(base.diffId, tar, { signal: controller.signal });
      await expect(applied).rejects.toMatchObject({ code: "canceled", subject: base.diffId });
      expect(await snapshotter.has(base.diffId)).toBe(false);
      expect(fixture.remains()).toBe(0);
    });

    test("tells how far it is", async () => {
      const seen: number[] = [];
      await snapshotter.apply(base.diffId, streamOf(base.bytes), { onProgress: (bytes) => seen.push(bytes) });
      expect(seen.at(-1)).toBe(base.bytes.length);
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
    });

    test("removes what is not there without a word", async () => {
      await snapshotter.remove(base.diffId);
    });

    test.each(["../../etc", "sha256:../../../x", `md5:${"0".repeat(32)}`, "sha256:abc", ""])(
      "refuses %p as a diff ID",
      async (id) => {
        const expected = { code: "invalid_argument" };
        expect(() => snapshotter.has(id)).toThrow(expect.objectContaining(expected));
        await expect(snapshotter.lower([id])).rejects.toMatchObject(expected);
        await expect(snapshotter.apply(id, streamOf(base.bytes))).rejects.toMatchObject(expected);
        await expect(snapshotter.remove(id)).rejects.toMatchObject(expected);
      },
    );
  });
}
