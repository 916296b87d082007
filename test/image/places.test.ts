import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { copyImage } from "../../src/image/copy/copy.ts";
import { openDestination, openSource } from "../../src/image/transports/open-place.ts";
import { parsePlace } from "../../src/image/transports/place-name.ts";
import { runPlaceSuite } from "../../src/image/transports/place-suite.ts";
import { buildImage, digestOf, document, writeLayout } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { file, hardlink, symlink, type TarEntry, tar } from "../harness/tar.ts";

let registry: Registry;
let base: string;
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "galley-places-"));
  registry = await startRegistry();
});
afterAll(async () => {
  await registry?.stop();
  rmSync(base, { recursive: true, force: true });
});

let count = 0;
const fresh = (name: string) => join(base, `${++count}-${name}`);

const kinds: readonly (readonly [string, () => string])[] = [
  ["a registry", () => `docker://${registry.host}/suite/${++count}:1`],
  ["an OCI layout", () => `oci:${fresh("layout")}:app`],
  ["an OCI archive", () => `oci-archive:${fresh("layout.tar")}:app`],
  ["an archive of docker save", () => `docker-archive:${fresh("docker.tar")}:app:1`],
  ["a directory", () => `dir:${fresh("dir")}`],
];
for (const [name, place] of kinds) {
  runPlaceSuite(name, async () => {
    const at = parsePlace(place());
    return { destination: () => openDestination(at), source: () => openSource(at) };
  });
}

/** Copies to a directory; gives the failure as it is shown. */
async function refusal(from: string, to = `dir:${fresh("refused")}`): Promise<string> {
  try {
    const source = await openSource(parsePlace(from));
    const destination = await openDestination(parsePlace(to));
    try {
      await copyImage(source, destination, { lists: "all" });
    } finally {
      await destination.close();
      await source.close();
    }
  } catch (failure) {
    return (failure as { describe?: () => string }).describe?.() ?? String(failure);
  }
  return "it was accepted";
}

const good = buildImage({ layers: [{ entries: [file("a", "a")] }] });
const goodTar = tar([file("a", "a")]);
const goodConfig = JSON.stringify({
  os: "linux",
  architecture: "amd64",
  rootfs: { type: "layers", diff_ids: [digestOf(goodTar)] },
});

/** An archive of docker save with this list of images and these files. */
function dockerArchive(list: unknown, ...entries: readonly TarEntry[]): string {
  const path = fresh("lying.tar");
  writeFileSync(path, tar([...entries, file("manifest.json", typeof list === "string" ? list : JSON.stringify(list))]));
  return `docker-archive:${path}`;
}

describe("an archive of docker save that lies is refused with what and where", () => {
  const config = file("config.json", goodConfig);
  const layer = file("l/layer.tar", goodTar);
  const image = { Config: "config.json", RepoTags: ["a:1"], Layers: ["l/layer.tar"] };
  test("but one that does not is taken, in the old layout with its links too", async () => {
    expect(await refusal(dockerArchive([image], config, layer))).toBe("it was accepted");
    const linked = dockerArchive([image], config, file("x/y.tar", goodTar), symlink("l/layer.tar", "../x/y.tar"));
    expect(await refusal(linked)).toBe("it was accepted");
    expect(await refusal(dockerArchive([image], config, file("y", goodTar), hardlink("l/layer.tar", "y")))).toBe(
      "it was accepted",
    );
  });
  const rows: readonly (readonly [string, () => string, string])[] = [
    ["no list", () => dockerArchive("{}", config), "is not a list of images"],
    ["no JSON", () => dockerArchive("[{", config), "manifest.json is not valid JSON"],
    ["a number for a configuration", () => dockerArchive([{ ...image, Config: 1 }], config), "has no Config"],
    ["layers that are no names", () => dockerArchive([{ ...image, Layers: [1] }], config), "Layers that are not names"],
    [
      "a missing configuration",
      () => dockerArchive([image], layer),
      'the configuration "config.json", which is not there',
    ],
    ["a missing layer", () => dockerArchive([image], config), 'the layer "l/layer.tar", which is not there'],
    ["a way out", () => dockerArchive([{ ...image, Config: "../../../etc/passwd" }], layer), "which is not there"],
    ["a link out", () => dockerArchive([image], symlink("config.json", "/etc/passwd"), layer), "which is not there"],
    [
      "links in a circle",
      () => dockerArchive([image], symlink("config.json", "b"), symlink("b", "config.json")),
      "in a circle",
    ],
    [
      "fewer layers than it says",
      () => dockerArchive([{ ...image, Layers: [] }], config, layer),
      "0 layers for config.json, and the configuration 1",
    ],
    [
      "a layer that is another one",
      () => dockerArchive([image], config, file("l/layer.tar", "another")),
      "not what its descriptor says",
    ],
    [
      "a name that is another digest's",
      () =>
        dockerArchive(
          [{ ...image, Config: `${"0".repeat(64)}.json` }],
          file(`${"0".repeat(64)}.json`, goodConfig),
          layer,
        ),
      "has the digest",
    ],
    [
      "10,000 layers",
      () => dockerArchive([{ ...image, Layers: Array(10_000).fill("l/layer.tar") }], config, layer),
      "10000 layers, more than",
    ],
    [
      "two images and no choice",
      () => dockerArchive([image, { ...image, RepoTags: ["b:1"] }], config, layer),
      "more than one image",
    ],
  ];
  for (const [name, archive, message] of rows) {
    test(name, async () => {
      const from = archive();
      const told = await refusal(from);
      expect(told).toContain(message);
    });
  }
  test("that ends too early", async () => {
    const path = fresh("short.tar");
    const whole = tar([file("config.json", goodConfig), file("l/layer.tar", Buffer.alloc(100_000))]);
    writeFileSync(path, whole.subarray(0, 50_000));
    expect(await refusal(`docker-archive:${path}`)).toContain("cut short");
  });
});

describe("a layout that lies is refused with what and where", () => {
  const layout = (change: (path: string) => void = () => undefined) => {
    const path = fresh("layout");
    mkdirSync(path);
    writeLayout(path, "app", good);
    change(path);
    return `oci:${path}:app`;
  };
  const hex = (digest: string) => digest.replace("sha256:", "");
  const blobs = good.blobs.map(({ descriptor }) => hex(descriptor.digest));
  const index = (manifests: unknown) => (path: string) =>
    writeFileSync(join(path, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  const named = (descriptor: object) => ({
    ...descriptor,
    annotations: { "org.opencontainers.image.ref.name": "app" },
  });
  const rows: readonly (readonly [string, (path: string) => void, string])[] = [
    ["nothing", () => undefined, "it was accepted"],
    [
      "a missing manifest",
      (path) => rmSync(join(path, "blobs/sha256", hex(good.descriptor.digest))),
      "does not hold this content",
    ],
    ["a missing layer", (path) => rmSync(join(path, "blobs/sha256", blobs[1] ?? "")), "does not hold this content"],
    [
      "a layer of another size",
      (path) => writeFileSync(join(path, "blobs/sha256", blobs[1] ?? ""), "x"),
      "the content is of 1 bytes and not of",
    ],
    [
      "an altered layer",
      (path) => {
        const at = join(path, "blobs/sha256", blobs[1] ?? "");
        const bytes = readFileSync(at);
        bytes[12]! ^= 1;
        writeFileSync(at, bytes);
      },
      "not what its descriptor says",
    ],
    [
      "a pipe for a layer",
      (path) => {
        const at = join(path, "blobs/sha256", blobs[1] ?? "");
        rmSync(at);
        Bun.spawnSync(["mkfifo", at]);
      },
      "not a regular file",
    ],
    [
      "a link to a host's file",
      (path) => {
        const at = join(path, "blobs/sha256", blobs[0] ?? "");
        rmSync(at);
        symlinkSync("/etc/passwd", at);
      },
      "as its descriptor says",
    ],
    [
      "another version",
      (path) => writeFileSync(join(path, "oci-layout"), '{"imageLayoutVersion":"9"}'),
      'layout version "9" is not known',
    ],
    ["an index that is none", (path) => writeFileSync(join(path, "index.json"), "[]"), "not a list of descriptors"],
    [
      "a digest that is a path",
      index([named({ ...good.descriptor, digest: "sha256:../../../../etc/passwd" })]),
      "not a list of descriptors",
    ],
    ["a size below zero", index([named({ ...good.descriptor, size: -1 })]), "not a list of descriptors"],
    [
      "a manifest of a gigabyte",
      index([named({ ...good.descriptor, size: 2 ** 30 })]),
      "larger than the 4194304 bytes",
    ],
  ];
  for (const [name, change, message] of rows) {
    test(name, async () => expect(await refusal(layout(change))).toMatch(new RegExp(message)));
  }

  test("indexes one in another without end", async () => {
    const path = fresh("deep");
    mkdirSync(path);
    writeLayout(path, "app", good);
    let inner = good.descriptor;
    for (let depth = 0; depth < 10; depth++) {
      const outer = document("application/vnd.oci.image.index.v1+json", {
        schemaVersion: 2,
        manifests: [inner, inner],
      });
      writeFileSync(join(path, "blobs/sha256", hex(outer.descriptor.digest)), outer.bytes);
      inner = outer.descriptor;
    }
    index([named(inner)])(path);
    expect(await refusal(`oci:${path}:app`)).toContain("indexes lead one to another");
  });

  test("10,000 layers", async () => {
    const layers = Array.from({ length: 10_000 }, () => good.blobs[1]?.descriptor);
    const many = buildImage({ layers: [{ entries: [] }], editManifest: (manifest) => ({ ...manifest, layers }) });
    const path = fresh("many");
    mkdirSync(path);
    writeLayout(path, "app", many);
    expect(await refusal(`oci:${path}:app`)).toContain("10000 layers, more than 5000");
  });
});

describe("what would fill the disk is refused", () => {
  const zeros = new Uint8Array(64 << 20);
  test("a layer that unpacks to far more than it is", async () => {
    const one = new Uint8Array(zstdCompressSync(zeros));
    const stored = Buffer.concat(Array.from({ length: 40 }, () => one));
    const bomb = buildImage({
      layers: [{ archive: zeros, compression: "zstd", stored }],
      editConfig: (config) => ({ ...config }),
    });
    const path = fresh("bomb");
    mkdirSync(path);
    writeLayout(path, "app", bomb);
    expect(await refusal(`oci:${path}:app`, `docker-archive:${fresh("bomb.tar")}:a:1`)).toContain("times as many");
  }, 60_000);

  test("an archive that does", async () => {
    const one = Bun.gzipSync(zeros);
    const path = fresh("bomb.tar.gz");
    writeFileSync(path, Buffer.concat(Array.from({ length: 40 }, () => one)));
    expect(await refusal(`docker-archive:${path}`)).toContain("times as many");
  }, 60_000);
});

test("a directory of another format is refused", async () => {
  const path = fresh("dir");
  mkdirSync(path);
  writeFileSync(join(path, "version"), "Directory Transport Version: 7\n");
  writeFileSync(join(path, "manifest.json"), good.bytes);
  expect(await refusal(`dir:${path}`)).toContain("its version is not one that is known");
  expect(await refusal(`dir:${fresh("nothing")}`)).toContain("it holds no manifest.json");
});
