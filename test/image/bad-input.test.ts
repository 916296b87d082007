/** Bad images at every transport, brought to the store: each is refused with what and where and what to do, and nothing of it stays. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImageManifest } from "../../src/spec/image.ts";
import {
  type BuiltImage,
  buildImage,
  buildIndex,
  digestOf,
  type ImageInput,
  writeLayout,
} from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { directory, file, hardlink, symlink, type TarEntry, tar } from "../harness/tar.ts";
import { type FakeDaemon, refusalOf, startFakeDaemon } from "./refusals.ts";
import { openTestImages, type TestImages } from "./test-images.ts";

setDefaultTimeout(60_000);

let base: string;
let registry: Registry | undefined;
let store: TestImages;
let daemon: FakeDaemon;
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "galley-bad-"));
  daemon = startFakeDaemon(join(base, "docker.sock"));
  store = openTestImages(join(base, "store"));
  if (Bun.which("docker-registry") !== null) registry = await startRegistry();
});
afterAll(async () => {
  await registry?.stop();
  await daemon.stop();
  store.database.close();
  rmSync(base, { recursive: true, force: true });
});

let count = 0;
const fresh = (name: string) => join(base, `${++count}-${name}`);

const refusal = (from: string, tag = `bad/image:${++count}`) =>
  refusalOf(store, from, { tag, daemonHost: daemon.host });

/** What says that something is wrong ends with a hint in parentheses, and leaves nothing. */
async function refused(from: string, message: string): Promise<void> {
  const told = await refusal(from);
  expect(told).toContain(message);
  expect(told).toMatch(/\((?!at byte|entry)[a-z][^()]*\)$/);
  expect(store.remains()).toEqual([]);
}

/** The ways in which the same image is written down. */
const transports: Readonly<Record<string, (image: BuiltImage) => Promise<string>>> = {
  async oci(image) {
    const path = fresh("layout");
    mkdirSync(path);
    writeLayout(path, "app", image);
    return `oci:${path}:app`;
  },
  async "oci-archive"(image) {
    const layout = (await transports.oci?.(image)) ?? "";
    const path = fresh("layout.tar");
    Bun.spawnSync(["tar", "-C", layout.slice("oci:".length, -":app".length), "-cf", path, "."]);
    return `oci-archive:${path}:app`;
  },
  async dir(image) {
    const path = fresh("dir");
    mkdirSync(path);
    writeFileSync(join(path, "version"), "Directory Transport Version: 1.1\n");
    writeFileSync(join(path, "manifest.json"), image.bytes);
    for (const { descriptor, bytes } of image.blobs)
      writeFileSync(join(path, descriptor.digest.slice("sha256:".length)), bytes);
    return `dir:${path}`;
  },
  async "docker-archive"(image) {
    const { config, layers } = JSON.parse(Buffer.from(image.bytes).toString()) as ImageManifest;
    const names = layers.map(({ digest }) => `${digest.slice("sha256:".length)}.tar`);
    const list = [{ Config: `${config.digest.slice("sha256:".length)}.json`, RepoTags: ["a:1"], Layers: names }];
    const entries = image.blobs.map(({ descriptor, bytes }, position) => {
      const hex = descriptor.digest.slice("sha256:".length);
      return file(position === 0 ? `${hex}.json` : `${hex}.tar`, bytes);
    });
    const path = fresh("docker.tar");
    writeFileSync(path, tar([...entries, file("manifest.json", JSON.stringify(list))]));
    return `docker-archive:${path}:a:1`;
  },
  async "docker-daemon"(image) {
    const archive = ((await transports["docker-archive"]?.(image)) ?? "").slice(
      "docker-archive:".length,
      -":a:1".length,
    );
    daemon.answers(() => new Response(Bun.file(archive)));
    return "docker-daemon:a:1";
  },
  async docker(image) {
    if (registry === undefined) return "";
    return `docker://${await registry.push(`bad/image${++count}`, "1", image)}`;
  },
};

const layered = (entries: readonly TarEntry[], more: Partial<ImageInput> = {}): BuiltImage =>
  buildImage({ layers: [{ entries, compression: "none" }], ...more });
const archived = (archive: Uint8Array): BuiltImage => buildImage({ layers: [{ archive, compression: "none" }] });

const faults: readonly (readonly [string, () => BuiltImage, string])[] = [
  ["a way up in a name", () => layered([file("../../etc/evil", "x")]), "../../etc/evil"],
  ["a way up behind a directory", () => layered([directory("a"), file("a/../../evil", "x")]), "evil"],
  ["a hard link to what is outside", () => layered([hardlink("evil", "../../../etc/passwd")]), "evil"],
  ["a hard link to what is not there", () => layered([hardlink("a", "nothing")]), "nothing"],
  ["a size below zero", () => archived(tar([{ name: "a", spoil: negativeSize }], { end: true })), "checksum"],
  ["a header of noise", () => archived(new Uint8Array(1024).fill(0x41)), "checksum"],
  ["a name with a zero byte", () => layered([{ name: "a", pax: { path: "a\0b" } }]), "NUL"],
  [
    "an extended header of two megabytes",
    () => layered([{ name: "a", pax: { comment: "x".repeat(2 << 20) } }]),
    "bytes",
  ],
  ["an owner that is no number", () => layered([{ name: "a", pax: { uid: "nobody" } }]), "uid"],
  [
    "a sparse map that lies",
    () => layered([{ name: "a", content: "ab", pax: { "GNU.sparse.size": "10", "GNU.sparse.map": "9,5" } }]),
    "sparse",
  ],
  ["a tar that is cut short", () => archived(tar([file("a", "x".repeat(5000))]).subarray(0, 3000)), "cut short"],
  [
    "layers that are others than the configuration says",
    () =>
      layered([file("a", "a")], {
        editConfig: (config) => ({ ...config, rootfs: { type: "layers", diff_ids: [digestOf(Buffer.from("x"))] } }),
      }),
    "digest",
  ],
  [
    "fewer layers than the configuration says",
    () =>
      layered([file("a", "a")], {
        editConfig: (config) => ({
          ...config,
          rootfs: { type: "layers", diff_ids: [...config.rootfs.diff_ids, digestOf(Buffer.from("x"))] },
        }),
      }),
    "layers",
  ],
  [
    "a configuration without layers",
    () => layered([file("a", "a")], { editConfig: () => ({ os: "linux", architecture: "amd64" }) }),
    "lists no layers",
  ],
  ["a configuration that is none", () => layered([file("a", "a")], { editConfig: () => [1] }), "not a JSON object"],
];

/** The size's field as a negative number in base 256, after the checksum was made. */
function negativeSize(header: Uint8Array): void {
  header.fill(0xff, 124, 136);
}

for (const [transport, write] of Object.entries(transports)) {
  describe(`${transport}: refused, and nothing stays`, () => {
    for (const [name, make, message] of faults) {
      test(name, async () => {
        const place = await write(make());
        if (place !== "") await refused(place, message);
      });
    }
  });
}

describe("what cannot hurt is taken inside the image's root", () => {
  test("absolute names, links out, a name twice", async () => {
    const entries = [
      file("/absolute", "1"),
      symlink("out", "/etc"),
      file("twice", "1"),
      file("twice", "2"),
      symlink("up", "../../.."),
    ];
    const place = (await transports.oci?.(layered(entries))) ?? "";
    expect(await refusal(place, "taken:1")).toBe("it was accepted");
    const [lower = ""] = await store.snapshotter.lower(store.images.get("taken:1").layers);
    expect(readFileSync(join(lower, "absolute"), "utf8")).toBe("1");
    expect(readFileSync(join(lower, "twice"), "utf8")).toBe("2");
    await store.images.remove("taken:1");
    expect(store.remains()).toEqual([]);
  });
  test("but nothing through a link of its own", async () => {
    const place = (await transports.oci?.(layered([symlink("out", "/tmp"), file("out/galley-bad-input", "x")]))) ?? "";
    const told = await refusal(place, "through:1");
    expect(Bun.file("/tmp/galley-bad-input").size).toBe(0);
    if (told === "it was accepted") await store.images.remove("through:1");
    expect(store.remains()).toEqual([]);
  });
});

describe("documents", () => {
  const good = layered([file("a", "a")]);
  const rows: readonly (readonly [string, () => Promise<string>, string])[] = [
    ["a list that names itself by another name, without end", () => deepList(6), "indexes lead one to another"],
    [
      "a list for other machines alone",
      () => listOf({ os: "plan9", architecture: "vax" }),
      "no image found in manifest list",
    ],
    ["a manifest with a size below zero", () => edited({ size: -1 }), "no configuration"],
    ["a manifest with a size beyond all numbers", () => edited({ size: 2 ** 60 }), "no configuration"],
    [
      "a manifest with a digest that is a path",
      () => edited({ digest: "sha256:../../../etc/passwd" }),
      "no configuration",
    ],
    [
      "a manifest with a digest of an unknown kind",
      () => edited({ digest: "md5:d41d8cd98f00b204e9800998ecf8427e" }),
      "no configuration",
    ],
    ["10,000 layers", () => manyLayers(10_000), "10000 layers"],
    ["a configuration of a gigabyte", () => edited({ size: 2 ** 30 }), "larger than"],
  ];
  const write = async (image: BuiltImage) => (await transports.oci?.(image)) ?? "";
  const edited = (change: object) =>
    write(
      layered([file("a", "a")], {
        editManifest: (manifest) => ({ ...manifest, config: { ...manifest.config, ...change } }),
      }),
    );
  const manyLayers = (number: number) =>
    write(
      layered([], { editManifest: (manifest) => ({ ...manifest, layers: Array(number).fill(manifest.layers[0]) }) }),
    );
  const listOf = (platform: { readonly os: string; readonly architecture: string }) => {
    const index = buildIndex([
      { ...good, descriptor: { ...good.descriptor, platform } },
      { ...good, descriptor: { ...good.descriptor, platform } },
    ]);
    return write({ ...index, manifests: [good] });
  };
  const deepList = (depth: number) => {
    let inner = good;
    const below: BuiltImage[] = [];
    for (let level = 0; level < depth; level++) {
      below.push(inner);
      inner = buildIndex([inner]);
    }
    return write({ ...inner, manifests: below });
  };
  for (const [name, make, message] of rows) test(name, async () => refused(await make(), message));
});

describe("what is no file, in an archive where a file has to be", () => {
  const device = (type: string): TarEntry => ({ name: "config.json", type, major: 1, minor: 5 });
  for (const [name, entry] of [
    ["a character device", device("3")],
    ["a block device", device("4")],
    ["a pipe", device("6")],
    ["a directory", directory("config.json")],
  ] as const) {
    test(name, async () => {
      const path = fresh("devices.tar");
      const list = [{ Config: "config.json", RepoTags: ["a:1"], Layers: [] }];
      writeFileSync(path, tar([entry, file("manifest.json", JSON.stringify(list))]));
      await refused(`docker-archive:${path}:a:1`, "config.json");
    });
  }
});

describe("devices in a layer", () => {
  test("are nodes of the image, with the numbers that the layer says", async () => {
    const place =
      (await transports.oci?.(layered([{ name: "null", type: "3", mode: 0o666, major: 1, minor: 3 }]))) ?? "";
    expect(await refusal(place, "device:1")).toBe("it was accepted");
    const [lower = ""] = await store.snapshotter.lower(store.images.get("device:1").layers);
    const node = lstatSync(join(lower, "null"));
    expect([node.isCharacterDevice(), node.rdev]).toEqual([true, (1 << 8) | 3]);
    await store.images.remove("device:1");
    expect(store.remains()).toEqual([]);
  });
  for (const [name, numbers] of [
    ["a major number beyond what there is", { major: 0o7777777, minor: 1 }],
    ["a minor number beyond what there is", { major: 1, minor: 0o7777777 }],
  ] as const) {
    test(`${name} is refused`, async () => {
      await refused((await transports.oci?.(layered([{ name: "node", type: "3", ...numbers }]))) ?? "", "device");
    });
  }
});

test("10,000 layers over the wire", async () => {
  if (registry === undefined) return;
  const layers = (manifest: ImageManifest) => Array(10_000).fill(manifest.layers[0]);
  const image = layered([file("a", "a")], { editManifest: (manifest) => ({ ...manifest, layers: layers(manifest) }) });
  await refused(`docker://${await registry.push("bad/layers", "1", image)}`, "10000 layers");
});
