/** Layers that are compressed as zstd:chunked: read as tables, as plain zstd, and made into archives again. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { decompress } from "../../src/image/pull/decompress.ts";
import type { Descriptor } from "../../src/spec/image.ts";
import { createStore, type Store } from "../harness/galley.ts";
import { buildImage, digestOf, type LayerInput, writeLayout } from "../harness/image-builder.ts";
import { testWith } from "../harness/requirements.ts";
import { device, directory, fifo, file, hardlink, paxRecord, symlink, tar } from "../harness/tar.ts";

let store: Store;
let folder: string;
beforeAll(() => {
  store = createStore();
  folder = mkdtempSync(join(tmpdir(), "galley-chunked-"));
});
afterAll(async () => {
  await store?.cleanup();
  rmSync(folder, { recursive: true, force: true });
});

const prefix = "io.github.containers.zstd-chunked.";
const noise = crypto.getRandomValues(new Uint8Array(60_000));
const big = Buffer.concat([noise, noise, Buffer.alloc(5000), noise, noise, noise]);
const entries = [
  directory("etc/", { mode: 0o755, mtime: 1_600_000_000 }),
  file("etc/empty"),
  file("etc/hostname", "galley\n", { mode: 0o100_644, uid: 12, gid: 34, mtime: 1_700_000_000 }),
  file("bin/big", big, { mode: 0o4755, pax: { mtime: "1700000000.25", "SCHILY.xattr.user.a": "value" } }),
  hardlink("bin/also", "bin/big"),
  symlink("bin/link", "big"),
  device("dev/null", "c", 1, 3),
  fifo("run/fifo"),
  file(`${"long/".repeat(40)}name`, "deep"),
  file("last", "of all"),
];

interface TableEntry {
  readonly type: string;
  readonly name: string;
  readonly offset?: number;
  readonly endOffset?: number;
  readonly size?: number;
  readonly digest?: string;
  readonly chunkSize?: number;
  readonly chunkOffset?: number;
  readonly chunkDigest?: string;
  readonly chunkType?: string;
}

let count = 0;

/** An image of one layer as an OCI layout, copied to another one. */
async function converted(layer: LayerInput, ...flags: readonly string[]) {
  const [from, to] = [join(folder, `${++count}`), join(folder, `${count}-copy`)];
  const image = buildImage({ layers: [layer] });
  writeLayout(from, "1", image);
  await store.ok(["copy", "-q", ...flags, `oci:${from}:1`, `oci:${to}:1`]);
  return { image, to, ...readLayout(to) };
}

function readLayout(layout: string): { readonly layer: Descriptor; readonly blob: Buffer; readonly diffId: string } {
  const blobAt = (digest: string) => readFileSync(join(layout, "blobs", digest.replace(":", "/")));
  const index = JSON.parse(readFileSync(join(layout, "index.json"), "utf8"));
  const manifest = JSON.parse(blobAt(index.manifests[0].digest).toString());
  const [layer] = manifest.layers;
  const config = JSON.parse(blobAt(manifest.config.digest).toString());
  return { layer, blob: blobAt(layer.digest), diffId: config.rootfs.diff_ids[0] };
}

const chunked = ["--dest-compress-format", "zstd:chunked"];

/** The frames that an annotation points to. */
async function partOf(
  blob: Buffer,
  layer: Descriptor,
  name: string,
): Promise<{ readonly raw: Buffer; readonly text: string }> {
  const [offset = 0, length = 0, size = 0] = (layer.annotations?.[prefix + name] ?? "").split(":").map(Number);
  const raw = blob.subarray(offset, offset + length);
  const text = await inflate(raw);
  expect(text.length).toBe(size);
  return { raw, text: text.toString() };
}

/** All frames, one after the other. */
async function inflate(frames: Uint8Array): Promise<Buffer> {
  const source = (async function* () {
    yield frames;
  })();
  return Buffer.concat(await Array.fromAsync(decompress(source)));
}

const tableOf = async (blob: Buffer, layer: Descriptor) =>
  JSON.parse((await partOf(blob, layer, "manifest-position")).text) as {
    readonly version: number;
    readonly entries: readonly TableEntry[];
    readonly tarSplitDigest: string;
  };

describe("a layer that is compressed as zstd:chunked", () => {
  let made: Awaited<ReturnType<typeof converted>>;
  let table: Awaited<ReturnType<typeof tableOf>>;
  beforeAll(async () => {
    made = await converted({ entries }, ...chunked);
    table = await tableOf(made.blob, made.layer);
  });

  test("is zstd, of the same archive", async () => {
    expect(made.layer.mediaType).toBe("application/vnd.oci.image.layer.v1.tar+zstd");
    expect(digestOf(await inflate(made.blob))).toBe(made.diffId);
  });

  testWith({ commands: ["zstd"] }, "is read by zstd", () => {
    const { stdout, exitCode } = Bun.spawnSync(["zstd", "-dcq"], { stdin: made.blob });
    expect({ exitCode, digest: digestOf(stdout) }).toEqual({ exitCode: 0, digest: made.diffId });
  });

  test("has annotations with digest and places of its table, and a footer that says the same", async () => {
    const { raw } = await partOf(made.blob, made.layer, "manifest-position");
    expect(made.layer.annotations?.[`${prefix}manifest-checksum`]).toBe(digestOf(raw));
    const footer = made.blob.subarray(-64);
    const numbers = Array.from({ length: 7 }, (_, index) => Number(footer.readBigUInt64LE(index * 8)));
    const places = ["manifest-position", "tarsplit-position"].map((name) => made.layer.annotations?.[prefix + name]);
    expect(numbers.join(":")).toBe(places.join(":"));
    expect(footer.toString("latin1", 56)).toBe("GNUlInUx");
  });

  test("describes every entry as the archive has it", () => {
    const whole = table.entries.filter(({ type }) => type !== "chunk");
    expect(table.version).toBe(1);
    expect(whole.map(({ type, name }) => `${type} ${name}`)).toEqual([
      ...["dir etc/", "reg etc/empty", "reg etc/hostname", "reg bin/big", "hardlink bin/also", "symlink bin/link"],
      ...["char dev/null", "fifo run/fifo", `reg ${"long/".repeat(40)}name`, "reg last"],
    ]);
    expect(whole[2]).toMatchObject({ mode: 0o100_644, uid: 12, gid: 34, size: 7, modtime: "2023-11-14T22:13:20Z" });
    expect(whole[3]).toMatchObject({
      mode: 0o4755,
      modtime: "2023-11-14T22:13:20.25Z",
      xattrs: { "user.a": "dmFsdWU=" },
    });
    expect(whole[4]).toMatchObject({ linkName: "bin/big" });
    expect(whole[6]).toMatchObject({ devMajor: 1, devMinor: 3 });
  });

  test("lets each file and each chunk be read alone", async () => {
    const contents = new Map(entries.map(({ name, content = "" }) => [name, Buffer.from(content)]));
    for (const entry of table.entries.filter(({ type, size }) => type === "reg" && size !== undefined)) {
      const content = contents.get(entry.name) ?? Buffer.alloc(0);
      expect((await inflate(made.blob.subarray(entry.offset, entry.endOffset))).equals(content)).toBeTrue();
      expect(entry.digest).toBe(digestOf(content));
    }
    const chunks = table.entries.filter(({ name }) => name === "bin/big");
    expect(chunks.length).toBeGreaterThanOrEqual(3);
    expect(chunks.filter(({ chunkType }) => chunkType === "zeros").map(({ chunkSize }) => chunkSize)).toEqual([5000]);
    for (const { offset, chunkSize = 0, chunkOffset = 0, chunkDigest } of chunks) {
      const part = big.subarray(chunkOffset, chunkOffset + chunkSize);
      expect(digestOf(part)).toBe(chunkDigest ?? "");
      expect(zstdDecompressSync(frameAt(made.blob, offset ?? 0, chunks)).equals(part)).toBeTrue();
    }
  });

  test("can be made into the archive again from its files and what tar-split kept", async () => {
    const { raw, text } = await partOf(made.blob, made.layer, "tarsplit-position");
    expect(table.tarSplitDigest).toBe(digestOf(raw));
    const contents = new Map(entries.map(({ name, content = "" }) => [name, Buffer.from(content)]));
    const parts = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(parts.map(({ position }) => position)).toEqual(parts.map((_, index) => index));
    const archive = parts.map(({ type, name, size, payload }) =>
      type === 2 ? Buffer.from(payload, "base64") : size === undefined ? Buffer.alloc(0) : contents.get(name),
    );
    expect(digestOf(Buffer.concat(archive as Buffer[]))).toBe(made.diffId);
  });

  test("stays as it is where zstd or zstd:chunked is asked for, and loses its annotations to gzip", async () => {
    const copy = async (format: string) => {
      const to = join(folder, `${++count}-again`);
      await store.ok(["copy", "-q", "--dest-compress-format", format, `oci:${made.to}:1`, `oci:${to}:1`]);
      return readLayout(to);
    };
    expect((await copy("zstd")).layer).toEqual(made.layer);
    expect((await copy("zstd:chunked")).layer).toEqual(made.layer);
    const gzip = await copy("gzip");
    expect(gzip.layer.annotations ?? {}).toEqual({});
    expect(gzip.layer.mediaType).toEndWith("+gzip");
  });

  testWith({ root: true, commands: ["podman"] }, "is read by podman", () => {
    const archive = join(folder, "podman");
    const dirs = ["--root", join(archive, "root"), "--runroot", join(archive, "run"), "--storage-driver", "vfs"];
    const podman = (...args: readonly string[]) => {
      const { exitCode, stdout, stderr } = Bun.spawnSync(["podman", ...dirs, ...args], { cwd: folder });
      expect({ exitCode, errors: exitCode === 0 ? "" : stderr.toString() }).toEqual({ exitCode: 0, errors: "" });
      return stdout.toString().trim();
    };
    const id = podman("pull", "-q", `oci:${basename(made.to)}:1`);
    const mounted = podman("image", "mount", id);
    expect(readFileSync(join(mounted, "bin/big")).equals(big)).toBeTrue();
    podman("image", "umount", id);
  });
});

/** The frame that begins there, which ends where the next one that is known of does. */
function frameAt(blob: Buffer, offset: number, chunks: readonly TableEntry[]): Buffer {
  const ends = [...chunks.map((chunk) => chunk.offset ?? 0), chunks[0]?.endOffset ?? 0].filter((end) => end > offset);
  return blob.subarray(offset, Math.min(...ends));
}

describe("what no table can describe is plain zstd:", () => {
  const comment = { raw: true, name: "h", type: "g", content: paxRecord("comment", "a") };
  const layers: Readonly<Record<string, LayerInput>> = {
    "a path that is there twice": { entries: [file("a", "one"), file("b"), file("./a", "two")] },
    "a sparse file": {
      entries: [file("a", "x"), file("s", "data", { pax: { "GNU.sparse.map": "8,4", "GNU.sparse.size": "12" } })],
    },
    "a name that is not UTF-8": {
      archive: tar([file("a", "x"), file("b", "y", { pax: { path: Buffer.from([0xff, 0x61]) } })]),
    },
    "a global header": { archive: tar([file("z", "before"), comment, file("a", "x")]) },
    "a time without a place in the calendar": { entries: [file("a", "x", { pax: { mtime: "300000000000" } })] },
  };
  for (const [name, layer] of Object.entries(layers)) {
    test(name, async () => {
      const { layer: written, blob, diffId } = await converted(layer, ...chunked);
      expect(written.annotations ?? {}).toEqual({});
      expect(digestOf(await inflate(blob))).toBe(diffId);
    });
  }

  test("what is no archive at all is refused", async () => {
    const [from, to] = [join(folder, `${++count}`), join(folder, `${count}-copy`)];
    writeLayout(from, "1", buildImage({ layers: [{ archive: noise }] }));
    const { status, stderr } = await store.galley(["copy", "-q", ...chunked, `oci:${from}:1`, `oci:${to}:1`]);
    expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining("checksum") });
  });
});
