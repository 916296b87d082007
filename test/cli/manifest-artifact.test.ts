/** manifest add --artifact: files of this host as artifacts of a list. The digests of their manifests are those that podman 5.8 gives the same files. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildImage } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { file } from "../harness/tar.ts";
import { fileStore } from "./container-flags.ts";

const needs = { root: true, commands: ["docker-registry", "skopeo"] };
const store = fileStore();
const image = buildImage({ layers: [{ entries: [file("a", "a")] }] });

let registry: Registry;
beforeAll(async () => {
  if (missing(needs) !== undefined) return;
  registry = await startRegistry();
  await registry.push("team/app", "1", image);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(store().home, name), content);
});
afterAll(() => registry?.stop());

const files = {
  "a.txt": "hello\n",
  "b.bin": new Uint8Array([0, 1, 2, 255]),
  "c.json": '{"a":1}',
  "d.html": "<html><body>x</body></html>",
  "config.json": '{"k":"v"}\n',
};

let count = 0;
const ok = (...args: readonly string[]) => store().ok(args);
const shown = async (name: string) => JSON.parse(await ok("manifest", "inspect", name));

async function added(flags: readonly string[], ...paths: readonly string[]): Promise<string> {
  const name = `list-${++count}:1`;
  const id = await ok("manifest", "create", name);
  expect(await ok("manifest", "add", "--artifact", ...flags, name, ...paths)).toBe(id);
  return name;
}

const unknown = "application/vnd.unknown.artifact.v1";
const artifacts: readonly (readonly [flags: string, files: string, type: string | undefined, digest: string])[] = [
  [
    "--artifact",
    "a.txt b.bin c.json d.html",
    unknown,
    "d37116e556fd239ae91573869650ceddd115cf43ba4ac87f9e05903ce182c53d",
  ],
  [
    "--artifact --artifact-type application/x-notes",
    "a.txt",
    "application/x-notes",
    "329ee3329ac64245d8329c2b5957ff109293fac286e67047a886f83588de1bbf",
  ],
  [
    "--artifact --artifact-config config.json",
    "a.txt",
    unknown,
    "d3aeca43ad392f4f9eb63b00ddbb20d0a6da4c3f1989651b8e01cebb21db0394",
  ],
  [
    "--artifact --artifact-config config.json --artifact-config-type application/x-conf --artifact-layer-type text/x --artifact-exclude-titles",
    "a.txt",
    unknown,
    "125248f08b3bf0539871fd98c6dcc42f624c04c9b9d8034939888d24276cd5ce",
  ],
  [
    "--artifact --artifact-type=",
    "a.txt",
    undefined,
    "fd0f194c77a6be9b24df672c82c05e42ec54b6e54c363208297921976ad51271",
  ],
  [
    "--artifact --artifact-config-type application/x-conf",
    "a.txt",
    unknown,
    "3b7ab0e1ffeabc5d8e0e9579a40ea90c62e69c6312805fdceaec5161cb194aa2",
  ],
  [
    "--artifact --artifact-type t/x --artifact-config config.json",
    "a.txt",
    "t/x",
    "081d175136ccf61a7e3a7041c6ba919b3a35b863d0f1951412f4dfd65bc6dfaa",
  ],
];

describe("an artifact of files is made as podman makes it, and pushed with its files:", () => {
  for (const [flags, paths, type, digest] of artifacts) {
    testWith(needs, `${flags} ${paths}`, async () => {
      const name = await added(flags.split(" "), ...paths.split(" "));
      const [entry, ...others] = (await shown(name)).manifests;
      expect(others).toEqual([]);
      expect(entry).toMatchObject({
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        digest: `sha256:${digest}`,
      });
      expect(entry.artifactType).toBe(type);
      expect(entry.files).toEqual(paths.split(" ").map((path) => join(store().home, path)));
      const place = `docker://${registry.host}/pushed/list:${count}`;
      await ok("manifest", "push", "-q", name, place);
      const raw = (at: string) => {
        const { stdout, stderr } = Bun.spawnSync(["skopeo", "inspect", "--tls-verify=false", "--raw", at]);
        expect(stderr.toString()).toBe("");
        return JSON.parse(stdout.toString());
      };
      const { files: _local, ...pushed } = entry;
      expect(raw(place).manifests).toEqual([pushed]);
      for (const layer of raw(`docker://${registry.host}/pushed/list@sha256:${digest}`).layers) {
        const title = layer.annotations?.["org.opencontainers.image.title"] ?? "a.txt";
        expect(readFileSync(registry.blobFile(layer.digest))).toEqual(readFileSync(join(store().home, title)));
      }
    });
  }
});

describe("a list with an artifact", () => {
  testWith(needs, "says what is said of it, and is about its subject", async () => {
    const said = ["--annotation", "k=v", "--arch", "arm64", "--os", "linux", "--variant", "v8", "--os-version", "7"];
    const about = ["--artifact-subject", `docker://${registry.host}/team/app:1`];
    const name = await added(["--artifact-type", "t/x", ...said, ...about], "a.txt");
    const { mediaType, size, digest } = image.descriptor;
    expect(await shown(name)).toMatchObject({
      subject: { mediaType, size, digest },
      manifests: [
        {
          digest: "sha256:21e7dfdcc876df2987625336d75cc8a91ae68f92e0b3b020aec31ade64939c06",
          platform: { architecture: "arm64", os: "linux", variant: "v8", "os.version": "7" },
          annotations: { k: "v" },
        },
      ],
    });
  });

  testWith(needs, "holds images as well, and each artifact once", async () => {
    const name = await added([], "a.txt");
    await ok("manifest", "add", name, `docker://${registry.host}/team/app:1`);
    await ok("manifest", "add", "--artifact", name, "a.txt");
    await ok("manifest", "add", "--artifact", name, "b.bin");
    const { manifests } = await shown(name);
    expect(manifests.map((entry: { artifactType?: string }) => entry.artifactType)).toEqual([
      undefined,
      unknown,
      unknown,
    ]);
    await ok("manifest", "push", "-q", name, `docker://${registry.host}/pushed/mixed:1`);
    const text = await ok("inspect", "-n", "-f", "{{.Os}}", `docker://${registry.host}/pushed/mixed:1`);
    expect(text).toBe("linux");
    await ok("manifest", "remove", name, manifests[2].digest);
    expect((await shown(name)).manifests).toHaveLength(2);
  });

  testWith(needs, "is not pushed where a file has changed or is gone", async () => {
    const path = join(store().home, "changing");
    writeFileSync(path, "before");
    await ok("manifest", "create", "changing:1");
    await ok("manifest", "add", "--artifact", "changing:1", path);
    const pushed = async () => {
      const { status, stderr } = await store().galley([
        "manifest",
        "push",
        "-q",
        "changing:1",
        `docker://${registry.host}/not/there:1`,
      ]);
      expect(status).toBe(125);
      return stderr;
    };
    writeFileSync(path, "after!");
    expect(await pushed()).toContain("not what its descriptor says");
    writeFileSync(path, "longer than before");
    expect(await pushed()).toContain("not what its descriptor says");
    await Bun.file(path).delete();
    expect(await pushed()).toContain(path);
    expect((await store().galley(["inspect", `docker://${registry.host}/not/there:1`])).status).toBe(2);
  });

  testWith(needs, "refuses what there is not, and what is said of no artifact", async () => {
    const fails = async (says: string, ...words: readonly string[]) => {
      const { status, stderr } = await store().galley(["manifest", "add", ...words]);
      expect({ status, told: stderr.includes(says) ? says : stderr }).toEqual({ status: 125, told: says });
    };
    await ok("manifest", "create", "empty:1");
    await fails("/nonexistent", "--artifact", "empty:1", "/nonexistent");
    await fails("/noconfig", "--artifact", "--artifact-config", "/noconfig", "empty:1", "a.txt");
    for (const flag of ["config", "config-type", "layer-type", "subject", "type"]) {
      await fails(`--artifact-${flag} requires --artifact`, `--artifact-${flag}`, "x", "empty:1", "a.txt");
    }
    await fails("--artifact-exclude-titles requires --artifact", "--artifact-exclude-titles", "empty:1", "a.txt");
    expect((await shown("empty:1")).manifests).toEqual([]);
  });
});

testWith(needs, "features are kept in Docker's lists, and left out of OCI's", async () => {
  const docker = buildImage({
    format: "docker",
    layers: [{ entries: [file("a", "d")] }],
    platform: { os: "linux", architecture: "s390x" },
  });
  await registry.push("team/app", "docker", docker);
  await ok("manifest", "create", "features:1");
  await ok("manifest", "add", "--features", "sse4", "features:1", `docker://${registry.host}/team/app:docker`);
  const platform = async () => (await shown("features:1")).manifests[0].platform;
  expect(await platform()).toEqual({ architecture: "s390x", os: "linux", features: ["sse4"] });
  await ok("manifest", "annotate", "--features", "x,y", "features:1", docker.descriptor.digest);
  expect(await platform()).toEqual({ architecture: "s390x", os: "linux", features: ["x", "y"] });
  await ok("manifest", "annotate", "--annotation", "k=v", "features:1", docker.descriptor.digest);
  expect(await platform()).toEqual({ architecture: "s390x", os: "linux" });
});

testWith(needs, "what is said of an image when it is added is in the list", async () => {
  await ok("manifest", "create", "said:1");
  const said = ["--annotation", "a=b", "--os", "plan9", "--os-version", "7", "--variant", "v6"];
  await ok("manifest", "add", ...said, "said:1", `docker://${registry.host}/team/app:1`);
  expect((await shown("said:1")).manifests).toMatchObject([
    { platform: { os: "plan9", "os.version": "7", variant: "v6" }, annotations: { a: "b" } },
  ]);
});
