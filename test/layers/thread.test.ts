/** Layers that are indexed in a thread of their own: the same comes out as here, of good layers and of bad ones. */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { GalleyError } from "../../src/errors.ts";
import { ContentStore } from "../../src/image/content/content-store.ts";
import { Ingest } from "../../src/image/content/ingest.ts";
import { LayerFile } from "../../src/image/content/layer-file.ts";
import { digestOf } from "../../src/image/digest.ts";
import { indexLayer } from "../../src/image/layers/erofs/index-layer.ts";
import { archive, header, pax, record } from "../../src/image/layers/tar/test-blocks.ts";
import { KeptLayers } from "../../src/image/snapshot/kept-layers.ts";
import { indexFile } from "../../src/image/snapshot/thread/index-file.ts";
import { removeLeftovers } from "../harness/leftovers.ts";

setDefaultTimeout(60_000);

let base: string;
let content: ContentStore;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "galley-thread-"));
  content = new ContentStore(join(base, "content"));
  content.prepare();
});
afterEach(async () => {
  await removeLeftovers([base]);
  rmSync(base, { recursive: true, force: true });
});

const noise = (length: number) =>
  Buffer.concat(Array.from({ length: length >> 16 }, () => crypto.getRandomValues(new Uint8Array(1 << 16))));
const file = (name: string, data: Uint8Array | string) => header({ name, size: data.length, mtime: 1_000_000 }, data);
const strewn = Array.from({ length: 30 }, (_, index) => `${index * 10 ** 13 + 1},2`).join(",");

const good: Readonly<Record<string, Buffer>> = {
  nothing: archive(),
  "a small tree": archive(
    header({ name: "etc/", flag: "5" }),
    file("etc/motd", "hello"),
    header({ name: "l", flag: "2", linkName: "etc" }),
  ),
  "whiteouts, an opaque root, a hard link": archive(
    header({ name: ".wh..wh..opq" }),
    header({ name: "a/.wh.gone" }),
    file("a/b", "x"),
    header({ name: "c", flag: "1", linkName: "a/b" }),
  ),
  "what is longer than many pieces": archive(
    file("one", noise(3 << 20)),
    file("two", noise(1 << 20)),
    file("three", "3"),
  ),
};

const bad: Readonly<Record<string, Buffer>> = {
  "a wrong checksum": archive(header({ name: "x", checksum: 1 })),
  "a path that climbs out": archive(file("../../x", "1")),
  "a tar that is cut short": archive(file("x", noise(1 << 20))).subarray(0, 70_000),
  "a link to nothing": archive(header({ name: "l", flag: "1", linkName: "nowhere" })),
  "what an index has no form for": archive(
    pax(record("GNU.sparse.size", String(10 ** 15)), record("GNU.sparse.map", strewn)),
    header({ name: "s", size: 60 }, "x".repeat(60)),
  ),
};

const packings: Readonly<Record<string, (tar: Buffer) => Uint8Array>> = {
  plain: (tar) => tar,
  gzip: (tar) => Bun.gzipSync(new Uint8Array(tar)),
  zstd: (tar) => zstdCompressSync(tar),
};

function keep(bytes: Uint8Array): LayerFile {
  const digest = digestOf(bytes);
  writeFileSync(content.pathOf(digest), bytes);
  return LayerFile.kept(content, { mediaType: "layer", digest, size: bytes.length });
}

/** The two files that come out, with what is said of them or why there is none. */
async function outcome(
  name: string,
  work: (files: { tar: number; index: number; uuid: Uint8Array }) => Promise<object>,
) {
  const directory = join(base, name);
  mkdirSync(directory);
  const [tar = -1, index = -1] = ["tar", "index"].map((each) => openSync(join(directory, each), "w+"));
  try {
    const said = await work({ tar, index, uuid: new Uint8Array(16) }).then(told, (failure: unknown) => words(failure));
    const [keptTar, keptIndex] = ["tar", "index"].map((each) => readFileSync(join(directory, each)));
    return { said, keptTar, keptIndex };
  } finally {
    for (const fd of [tar, index]) closeSync(fd);
  }
}

function told(indexed: { readonly layer?: object; readonly refused?: unknown; readonly digest?: string }) {
  return indexed.layer ?? words(indexed.refused);
}

function words(failure: unknown) {
  const { code, message, op, subject, hint } = failure as GalleyError;
  return { code, message, op, subject, hint };
}

const options = { algorithm: "sha256", onBytes: () => undefined } as const;

describe("a thread makes of a layer what is made of it here", () => {
  for (const [name, tar] of [...Object.entries(good), ...Object.entries(bad)]) {
    test(name, async () => {
      for (const [packing, pack] of Object.entries(packings)) {
        const layer = keep(pack(tar));
        const here = await outcome(`${packing}-here`, (files) => indexLayer(layer, files));
        const there = await outcome(`${packing}-there`, (files) => indexFile(layer, files, options));
        expect(there.said).toEqual(here.said);
        if (name in bad) continue; // What is left of a failure is nobody's.
        expect(there.keptTar?.equals(here.keptTar ?? Buffer.of())).toBeTrue();
        expect(there.keptIndex?.equals(here.keptIndex ?? Buffer.of())).toBeTrue();
      }
    });
  }

  test("with the digest of the tar, and how far it is", async () => {
    const tar = archive(file("big", noise(16 << 20)));
    const seen: number[] = [];
    const result = await outcome("digest", async (files) => {
      const done = await indexFile(keep(Bun.gzipSync(new Uint8Array(tar))), files, {
        ...options,
        onBytes: (bytes) => seen.push(bytes),
      });
      return { layer: { digest: done.digest } };
    });
    expect(result.said).toEqual({ digest: digestOf(tar).slice("sha256:".length) });
    expect(seen.length).toBeGreaterThan(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });
});

describe("a blob that is not what it should be", () => {
  test("is refused though its tar is good: the digest is checked as it is read", async () => {
    const bytes = Bun.gzipSync(new Uint8Array(archive(file("x", "1"))));
    const digest = digestOf(bytes);
    writeFileSync(content.pathOf(digest), Buffer.concat([bytes, Bun.gzipSync(new Uint8Array(0))]));
    const layer = LayerFile.kept(content, { mediaType: "layer", digest, size: bytes.length + 20 });
    const { said } = await outcome("digest", (files) => indexFile(layer, files, options));
    expect(said).toMatchObject({ code: "data_loss", op: "verify", subject: digest });
  });
});

describe("a blob that is arriving", () => {
  const tar = archive(file("big", noise(2 << 20)));
  const bytes = Bun.gzipSync(new Uint8Array(tar));
  const target = { digest: digestOf(bytes), size: bytes.length };

  test("is indexed while it does, though it is given its place meanwhile", async () => {
    const ingest = await Ingest.open(content, target);
    const indexed = outcome("arriving", (files) => indexFile(LayerFile.arriving(ingest), files, options));
    for (let at = 0; at < bytes.length; at += 300_000) {
      await ingest.write(bytes.slice(at, at + 300_000));
      await Bun.sleep(5);
    }
    await ingest.commit();
    const { said, keptTar } = await indexed;
    expect(said).toMatchObject({ tarBytes: tar.length, entries: 1 });
    expect(keptTar?.equals(tar)).toBeTrue();
  });

  test("and fails is the failure of who reads it", async () => {
    const ingest = await Ingest.open(content, target);
    const indexed = outcome("failing", (files) => indexFile(LayerFile.arriving(ingest), files, options));
    await ingest.write(bytes.slice(0, 300_000));
    await Bun.sleep(50);
    await ingest.fail(new GalleyError("unavailable", "the line was cut"), { keep: false });
    expect((await indexed).said).toMatchObject({ code: "unavailable", message: "the line was cut" });
  });

  test("and never does is given up when it is called off; the thread works on", async () => {
    const ingest = await Ingest.open(content, target);
    await ingest.write(bytes.slice(0, 300_000));
    const abort = new AbortController();
    const indexed = outcome("aborted", (files) =>
      indexFile(LayerFile.arriving(ingest), files, { ...options, signal: abort.signal }),
    );
    await Bun.sleep(50);
    abort.abort();
    expect((await indexed).said).toMatchObject({ code: "canceled" });
    await ingest.fail(new Error("over"), { keep: false });
    const after = await outcome("after", (files) => indexFile(keep(bytes), files, options));
    expect(after.said).toMatchObject({ tarBytes: tar.length });
  });
});

describe("layers large enough for a thread", () => {
  const open = (form: "erofs" | "auto") =>
    new KeptLayers({ layers: join(base, "layers"), mounts: join(base, "run"), form });
  const big = file("big", noise(10 << 20));

  test("are kept, and refused where their tar is not that of the diff ID, with nothing left", async () => {
    const tar = archive(big);
    const layer = keep(Bun.gzipSync(new Uint8Array(tar)));
    await expect(open("erofs").apply(digestOf(Buffer.from("other")), layer)).rejects.toMatchObject({
      code: "data_loss",
    });
    expect(readdirSync(join(base, "layers/ingest"))).toEqual([]);
    const kept = open("erofs");
    await kept.apply(digestOf(tar), layer);
    const [lower = ""] = await kept.lower([digestOf(tar)]);
    expect(readFileSync(join(lower, "big")).equals(big.subarray(512))).toBeTrue();
  });

  test("are unpacked where an index has no form for them", async () => {
    // A byte at an odd place of every stretch of 128 KiB: copies of all the chunks that have one would be far larger than the layer.
    const [pieces, stretch] = [16_500, 1 << 17];
    const places = Array.from({ length: pieces }, (_, index) => [index * stretch + 1, 1] as const);
    const strewn = header.sparse({ name: "s", size: pieces }, pieces * stretch, places);
    const tar = archive(big, strewn, Buffer.alloc(pieces, "x"));
    const layer = keep(tar);
    await expect(open("erofs").apply(digestOf(tar), layer)).rejects.toMatchObject({ code: "unimplemented" });
    const kept = open("auto");
    await kept.apply(digestOf(tar), layer);
    expect(kept.formOf(digestOf(tar))).toBe("directories");
    const [lower = ""] = await kept.lower([digestOf(tar)]);
    expect(existsSync(join(lower, "s"))).toBeTrue();
  });
});
