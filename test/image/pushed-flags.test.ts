/** Flags of push and of manifest push that say what is pushed, and as what. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStore, type Store } from "../harness/galley.ts";
import { buildImage } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { file } from "../harness/tar.ts";

const needs = { root: true, commands: ["docker-registry"] };
const content = Array.from({ length: 4000 }, (_, line) => `line ${line * 7919}\n`).join("");
const image = (architecture: string, compression: "gzip" | "none" = "gzip") =>
  buildImage({
    layers: [{ compression, entries: [file(compression, `for ${architecture}\n${content}`)] }],
    platform: { os: "linux", architecture },
  });

interface Manifest {
  readonly mediaType: string;
  readonly layers: readonly { readonly mediaType: string; readonly size: number }[];
  readonly manifests: readonly {
    readonly mediaType: string;
    readonly digest: string;
    readonly annotations?: object;
    readonly platform?: { readonly architecture: string };
  }[];
}

let registry: Registry;
let store: Store;
let directory: string;
beforeAll(async () => {
  if (missing(needs) !== undefined) return;
  directory = mkdtempSync(join(tmpdir(), "galley-pushed-"));
  registry = await startRegistry();
  await registry.push("team/app", "1", image("amd64"));
  await registry.push("team/app", "plain", image("amd64", "none"));
  await registry.push("team/app", "arm", image("arm64"));
  store = createStore();
  for (const tag of ["1", "plain"]) {
    await store.ok(["copy", "-q", `docker://${registry.host}/team/app:${tag}`, `containers-storage:app:${tag}`]);
  }
  await store.ok(["manifest", "create", "list:1", "app:1", `docker://${registry.host}/team/app:arm`]);
});
afterAll(async () => {
  if (missing(needs) !== undefined) return;
  await registry.stop();
  expect(await store.cleanup()).toEqual({ processes: [], mounts: [] });
  rmSync(directory, { recursive: true, force: true });
});

let count = 0;
const fresh = (name: string) => join(directory, `${++count}-${name}`);

async function raw(place: string): Promise<Manifest> {
  return JSON.parse(await store.ok(["inspect", "--raw", place]));
}

/** What is at the destination after a push with the flags. */
async function pushed(command: string, name: string, ...flags: readonly string[]): Promise<Manifest> {
  const place = `docker://${registry.host}/pushed/it:${++count}`;
  await store.ok([...command.split(" "), "-q", ...flags, name, place]);
  return raw(place);
}

/** The images of a list that was pushed last. */
async function parts({ manifests }: Manifest): Promise<readonly Manifest[]> {
  return Promise.all(manifests.map(({ digest }) => raw(`docker://${registry.host}/pushed/it@${digest}`)));
}

const types = ({ mediaType, layers }: Manifest) => [mediaType, ...layers.map((layer) => layer.mediaType)];
const oci = "application/vnd.oci.image";
const docker = "application/vnd.docker";

describe("push", () => {
  testWith(needs, "--format, -f: in OCI's format or Docker's", async () => {
    const asDocker = [`${docker}.distribution.manifest.v2+json`, `${docker}.image.rootfs.diff.tar.gzip`];
    expect(types(await pushed("push", "app:1", "--format", "v2s2"))).toEqual(asDocker);
    expect(types(await pushed("push", "app:1", "-f", "oci"))).toEqual([
      `${oci}.manifest.v1+json`,
      `${oci}.layer.v1.tar+gzip`,
    ]);
    const { status, stderr } = await store.galley(["push", "-f", "v1", "app:1", `docker://${registry.host}/x`]);
    expect([status, stderr]).toEqual([1, expect.stringContaining("unknown format")]);
  });

  testWith(needs, "--compression-format, --compression-level, --force-compression: compressed as asked", async () => {
    for (const [format, suffix] of [
      ["zstd", "+zstd"],
      ["zstd:chunked", "+zstd"],
      ["gzip", "+gzip"],
    ] as const) {
      const flags = ["--compression-format", format, "--force-compression"];
      expect(types(await pushed("push", "app:plain", ...flags))[1]).toBe(`${oci}.layer.v1.tar${suffix}`);
    }
    const sizes = ["1", "9"].map(
      async (level) => (await pushed("push", "app:1", "--compression-level", level)).layers[0]?.size ?? 0,
    );
    const [fast = 0, small = 0] = await Promise.all(sizes);
    expect(small).toBeLessThan(fast);
  });

  testWith(needs, "--compress: to a directory, which holds layers as they are without it", async () => {
    const typeIn = async (...flags: readonly string[]) => {
      const place = `dir:${fresh("dir")}`;
      await store.ok(["push", "-q", ...flags, "app:plain", place]);
      return types(await raw(place))[1];
    };
    expect(await typeIn()).toBe(`${oci}.layer.v1.tar`);
    expect(await typeIn("--compress")).toBe(`${oci}.layer.v1.tar+gzip`);
  });

  testWith(needs, "--platform: the image's own, or nothing", async () => {
    await pushed("push", "app:1", "--platform", "linux/amd64");
    const { status, stderr } = await store.galley([
      "push",
      "--platform",
      "linux/arm64",
      "app:1",
      `docker://${registry.host}/not/there:1`,
    ]);
    expect([status, stderr]).toEqual([1, expect.stringContaining("the image is not for linux/arm64")]);
    expect((await store.galley(["inspect", `docker://${registry.host}/not/there:1`])).status).toBe(2);
  });

  testWith(needs, "--digestfile, --disable-content-trust (as pull's) means nothing any more", async () => {
    const pulled = `${registry.host}/team/app:arm`;
    expect(await store.ok(["pull", "-q", "--disable-content-trust=false", pulled])).toBe(pulled);
    const path = fresh("digest");
    await pushed("push", "app:1", "--disable-content-trust=false", "--digestfile", path);
    expect(readFileSync(path, "utf8")).toBe(image("amd64").descriptor.digest);
  });

  testWith(needs, "--tmpdir: where a layer waits that a daemon is sent decompressed", async () => {
    const taken: string[] = [];
    const socket = fresh("docker.sock");
    const daemon = Bun.serve({
      unix: socket,
      async fetch(request) {
        taken.push(`${new URL(request.url).pathname} ${(await request.bytes()).length > content.length}`);
        return Response.json({ stream: "Loaded image: a:1" });
      },
    });
    const push = (scratch: string) =>
      store.galley(["push", "-q", "--tmpdir", scratch, "app:1", "docker-daemon:a:1"], {
        env: { DOCKER_HOST: `unix://${socket}` },
      });
    const scratch = fresh("scratch");
    expect((await push(scratch)).stderr).toContain(scratch);
    mkdirSync(scratch);
    expect(await push(scratch)).toMatchObject({ status: 0, stderr: "" });
    expect(readdirSync(scratch)).toEqual([]);
    expect(taken.at(-1)).toBe("/images/load true");
    await daemon.stop(true);
  });
});

describe("manifest push", () => {
  testWith(needs, "--format, -f: list and images in OCI's format or Docker's", async () => {
    const list = await pushed("manifest push", "list:1", "--format", "v2s2");
    expect(list.mediaType).toBe(`${docker}.distribution.manifest.list.v2+json`);
    const each = [`${docker}.distribution.manifest.v2+json`, `${docker}.image.rootfs.diff.tar.gzip`];
    expect((await parts(list)).map(types)).toEqual([each, each]);
    expect((await pushed("manifest push", "list:1", "-f", "oci")).mediaType).toBe(`${oci}.index.v1+json`);
  });

  testWith(
    needs,
    "--compression-format, --compression-level, --force-compression: each image compressed as asked",
    async () => {
      const zstd = await parts(
        await pushed("manifest push", "list:1", "--compression-format", "zstd", "--force-compression"),
      );
      expect(zstd.map((part) => types(part)[1])).toEqual(Array(2).fill(`${oci}.layer.v1.tar+zstd`));
      const sizeAt = async (level: string) => {
        const flags = ["--compression-format", "gzip", "--compression-level", level];
        return (await parts(await pushed("manifest push", "list:1", ...flags))).map(
          ({ layers }) => layers[0]?.size ?? 0,
        );
      };
      const [[fast = 0], [small = 0]] = [await sizeAt("1"), await sizeAt("9")];
      expect(small).toBeLessThan(fast);
    },
  );

  testWith(needs, "--add-compression: each image once more, behind the others, told apart as podman does", async () => {
    const zstd = { "io.github.containers.compression.zstd": "true" };
    const told = async (list: Manifest) => {
      const kinds = (await parts(list)).map((part) => types(part)[1]?.split("+")[1]);
      const each = list.manifests.map(({ annotations, platform }) => [platform?.architecture, annotations]);
      return each.map(([architecture, annotations], at) => [architecture, kinds[at], annotations]);
    };
    const both = [
      ["amd64", "gzip", undefined],
      ["arm64", "gzip", undefined],
      ["amd64", "zstd", zstd],
      ["arm64", "zstd", zstd],
    ];
    const before = (await raw(`docker://${registry.host}/team/app:arm`)).layers;
    const list = await pushed("manifest push", "list:1", "--add-compression", "zstd");
    expect(await told(list)).toEqual(both);
    expect((await parts(list))[1]?.layers).toEqual(before);
    const several = ["--add-compression", "gzip,zstd:chunked", "--add-compression", "zstd"];
    expect(await told(await pushed("manifest push", "list:1", ...several))).toEqual(both);
    const changed = ["--compression-format", "zstd", "--add-compression", "zstd"];
    expect(await told(await pushed("manifest push", "list:1", ...changed))).toEqual(both.slice(2));
    const refused = async (says: string, ...flags: readonly string[]) => {
      const place = `docker://${registry.host}/not/there:1`;
      const { status, stderr } = await store.galley(["manifest", "push", ...flags, "list:1", place]);
      expect([status, stderr]).toEqual([125, expect.stringContaining(says)]);
    };
    await refused("nonsense is not supported for replication", "--add-compression", "nonsense");
    await refused("zstd", "--add-compression", "zstd", "-f", "v2s2");
  });

  testWith(needs, "--purge, -p: the list is gone, if it was pushed", async () => {
    for (const flag of ["--purge", "-p"]) {
      await store.ok(["manifest", "create", "gone:1", "app:1"]);
      expect((await store.galley(["manifest", "push", flag, "gone:1", "docker://127.0.0.1:1/x"])).status).toBe(125);
      await store.ok(["manifest", "exists", "gone:1"]);
      await pushed("manifest push", "gone:1", flag);
      expect((await store.galley(["manifest", "exists", "gone:1"])).status).toBe(1);
    }
  });
});
