/** manifest create, add, annotate, inspect, push, remove, rm, exists: as a person calls them, and as skopeo reads what comes of it. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type BuiltImage, buildImage, buildIndex } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { file } from "../harness/tar.ts";
import { fileStore } from "./container-flags.ts";

const needs = { root: true, commands: ["docker-registry", "skopeo"] };
const store = fileStore();
const ok = (...args: readonly string[]) => store().ok(args);
const made = (architecture: string, format: "oci" | "docker" = "oci"): BuiltImage =>
  buildImage({ format, layers: [{ entries: [file("a", architecture)] }], platform: { os: "linux", architecture } });
const [amd, arm, s390] = [made("amd64"), made("arm64"), made("s390x", "docker")];

let registry: Registry;
let app: string;
beforeAll(async () => {
  if (missing(needs) !== undefined) return;
  registry = await startRegistry();
  app = `${registry.host}/team/app`;
  await registry.push("team/app", "amd", amd);
  await registry.push("team/app", "arm", arm);
  await registry.push("team/app", "s390", s390);
  await registry.push("team/app", "both", buildIndex([amd, arm]));
});
afterAll(() => registry?.stop());

async function fails(status: number, says: string, ...args: readonly string[]): Promise<void> {
  const result = await store().galley(args);
  expect(result.stderr).toContain(says);
  expect(result.status).toBe(status);
}

interface Shown {
  readonly mediaType: string;
  readonly manifests: readonly { readonly digest: string; readonly platform?: object; readonly annotations?: object }[];
  readonly annotations?: object;
}

async function shown(name: string): Promise<Shown> {
  return JSON.parse(await ok("manifest", "inspect", name));
}

async function digests(name: string): Promise<readonly string[]> {
  return (await shown(name)).manifests.map(({ digest }) => digest);
}

testWith(
  needs,
  "a list is about something: its subject is kept, and pushed with it",
  async () => {
    await ok("manifest", "create", "about:1", `docker://${app}:s390`);
    expect((await shown("about:1")).mediaType).toContain("docker");
    await ok("manifest", "annotate", "--index", "--subject", `docker://${app}:both`, "about:1");
    const { mediaType, size, digest } = buildIndex([amd, arm]).descriptor;
    const about = { mediaType, size, digest };
    expect(await shown("about:1")).toMatchObject({
      mediaType: "application/vnd.oci.image.index.v1+json",
      subject: about,
    });
    await ok("manifest", "annotate", "--index", "--annotation", "top=1", "about:1");
    await ok("manifest", "push", "-q", "about:1", `docker://${app}:about`);
    const raw = Bun.spawnSync(["skopeo", "inspect", "--tls-verify=false", "--raw", `docker://${app}:about`]).stdout;
    expect(JSON.parse(raw.toString())).toMatchObject({ subject: about, annotations: { top: "1" } });
    await ok("manifest", "rm", "about:1");
  },
  60_000,
);

describe("a list is put together", () => {
  testWith(needs, "of images of the store, of a registry, and of a list's", async () => {
    await ok("pull", "-q", `${app}:amd`);
    expect(await ok("manifest", "create", "list:1", `${app}:amd`)).toMatch(/^[0-9a-f]{64}$/);
    await ok("manifest", "add", "list:1", `docker://${app}:arm`);
    expect((await shown("list:1")).manifests).toMatchObject([
      { digest: amd.descriptor.digest, platform: { architecture: "amd64", os: "linux" } },
      { digest: arm.descriptor.digest, platform: { architecture: "arm64", os: "linux" } },
    ]);
    await ok("manifest", "create", "--all", "list:2", `docker://${app}:both`);
    expect(await digests("list:2")).toEqual([amd.descriptor.digest, arm.descriptor.digest]);
    await ok("manifest", "create", "list:3");
    await ok("manifest", "add", "--arch", "arm64", "list:3", `docker://${app}:both`);
    expect(await digests("list:3")).toEqual([arm.descriptor.digest]);
    await ok("manifest", "add", "--all", "list:3", `docker://${app}:both`);
    expect(await digests("list:3")).toHaveLength(2);
  });

  testWith(needs, "once for each name, unless it is gone on with", async () => {
    await fails(125, "already associated", "manifest", "create", "list:1");
    const before = await digests("list:1");
    await ok("manifest", "create", "--amend", "--annotation", "k=v", "list:1");
    expect(await digests("list:1")).toEqual(before);
    expect((await shown("list:1")).annotations).toEqual({ k: "v" });
    expect((await store().galley(["manifest", "exists", "list:1"])).status).toBe(0);
    expect((await store().galley(["manifest", "exists", "list:9"])).status).toBe(1);
    await fails(125, "no such manifest list", "manifest", "add", "list:9", `${app}:amd`);
    await fails(125, "No such image", "manifest", "add", "list:1", "containers-storage:nosuch");
  });

  testWith(needs, "with what is said of each image", async () => {
    const flags = ["--os", "linux", "--arch", "arm64", "--variant", "v8", "--annotation", "a=b", "--os-version", "7"];
    await ok("manifest", "annotate", ...flags, "--os-features", "x", "list:2", arm.descriptor.digest);
    expect((await shown("list:2")).manifests[1]).toEqual({
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: arm.descriptor.digest,
      size: arm.descriptor.size,
      platform: { architecture: "arm64", os: "linux", "os.version": "7", "os.features": ["x"], variant: "v8" },
      annotations: { a: "b" },
    } as never);
    await ok("manifest", "annotate", "--arch", "arm", "list:1", `docker://${app}:arm`);
    expect((await shown("list:1")).manifests[1]?.platform).toEqual({ architecture: "arm", os: "linux" });
    await ok("manifest", "annotate", "--arch", "arm64", "list:1", arm.descriptor.digest);
    await ok("manifest", "annotate", "--index", "--annotation", "top=1", "list:2");
    expect((await shown("list:2")).annotations).toEqual({ top: "1" });
    await fails(125, "--index", "manifest", "annotate", "list:2");
    await fails(125, "--index", "manifest", "annotate", "--subject", `${app}:amd`, "list:2");
    await fails(125, "--index", "manifest", "annotate", "--subject", `${app}:amd`, "list:2", arm.descriptor.digest);
    await fails(125, "holds no image", "manifest", "annotate", "--arch", "arm", "list:2", s390.descriptor.digest);
    await fails(125, "no value given", "manifest", "annotate", "--annotation", "x", "list:2", arm.descriptor.digest);
  });
});

describe("a list is pushed", () => {
  const skopeo = (...args: readonly string[]) => {
    const { stdout, stderr, exitCode } = Bun.spawnSync(["skopeo", ...args]);
    if (exitCode !== 0) throw new Error(stderr.toString());
    return stdout.toString();
  };

  testWith(needs, "to a registry with its images, as skopeo reads it", async () => {
    const digestfile = join(store().home, "digest");
    expect(
      await ok(
        "manifest",
        "push",
        "--all",
        "--digestfile",
        digestfile,
        "list:1",
        `docker://${registry.host}/other/list:1`,
      ),
    ).toContain("digest: sha256:");
    const raw = skopeo("inspect", "--tls-verify=false", "--raw", `docker://${registry.host}/other/list:1`);
    expect(JSON.parse(raw)).toEqual(await shown("list:1"));
    expect(readFileSync(digestfile, "utf8")).toBe(`sha256:${new Bun.CryptoHasher("sha256").update(raw).digest("hex")}`);
    for (const architecture of ["amd64", "arm64"]) {
      const place = `docker://${registry.host}/other/list:1`;
      const text = skopeo("--override-arch", architecture, "inspect", "--tls-verify=false", place);
      expect(JSON.parse(text).Architecture).toBe(architecture);
    }
    const plain = await ok("manifest", "inspect", `${registry.host}/other/list:1`);
    expect(JSON.parse(plain)).toEqual(JSON.parse(raw));
    for (const verbose of ["-v", "--verbose"]) {
      expect(await ok("manifest", "inspect", verbose, `${registry.host}/other/list:1`)).toBe(plain);
    }
  });

  testWith(needs, "to a directory, in Docker's format where all its images are of that", async () => {
    await ok("manifest", "create", "docker:1", `${app}:s390`);
    const path = join(store().home, "pushed");
    expect(await ok("manifest", "push", "-q", "--rm", "docker:1", `dir:${path}`)).toBe("");
    const list = JSON.parse(readFileSync(join(path, "manifest.json"), "utf8"));
    expect(list.mediaType).toBe("application/vnd.docker.distribution.manifest.list.v2+json");
    expect(existsSync(join(path, `${s390.descriptor.digest.slice(7)}.manifest.json`))).toBe(true);
    expect((await store().galley(["manifest", "exists", "docker:1"])).status).toBe(1);
  });

  testWith(needs, "not where one of its images is gone", async () => {
    await ok("manifest", "create", "stale:1", `${app}:amd`);
    await ok("rmi", `${app}:amd`);
    await fails(125, "No such image", "manifest", "push", "stale:1", `dir:${join(store().home, "stale")}`);
    expect(existsSync(join(store().home, "stale/manifest.json"))).toBe(false);
  });
});

testWith(
  needs,
  "a list is among images, and removed as one, as with podman",
  async () => {
    await ok("pull", "-q", `${app}:amd`);
    const id = await ok("manifest", "create", "shown:1", `${app}:amd`);
    await ok("manifest", "create", "shown:2");
    const template = ["--format", "{{.Repository}} {{.Tag}} {{.ID}} {{.Size}}"];
    expect((await ok("images", ...template)).split("\n")).toContainEqual(
      expect.stringMatching(new RegExp(`^shown 1 ${id.slice(0, 12)} [0-9]+B$`)),
    );
    const listed = async (filter: string) => (await ok("images", "--filter", filter, ...template)).split("\n");
    expect((await listed("manifest=true")).map((line) => line.slice(0, 7))).toContain("shown 2");
    expect((await listed("manifest=false")).join()).not.toContain("shown");
    expect((await listed("reference=shown")).map((line) => line.slice(0, 7)).sort()).toEqual(["shown 1", "shown 2"]);
    expect((await listed("dangling=true")).join()).not.toContain("shown");
    expect((await store().galley(["image", "exists", "shown:2"])).status).toBe(0);
    expect(await ok("rmi", "shown:1")).toBe(`Untagged: shown:1\nDeleted: ${id}`);
    expect(await ok("rmi", await ok("images", "-q", "shown"))).toStartWith("Untagged: shown:2\nDeleted: ");
    await fails(1, "No such image: shown:1", "rmi", "shown:1");
    expect((await store().galley(["image", "exists", `${app}:amd`])).status).toBe(0);
  },
  20_000,
);

testWith(needs, "images and lists are removed", async () => {
  await ok("manifest", "remove", "list:2", amd.descriptor.digest);
  expect(await digests("list:2")).toEqual([arm.descriptor.digest]);
  await fails(125, "holds no image", "manifest", "remove", "list:2", amd.descriptor.digest);
  await fails(125, "sha256:12", "manifest", "remove", "list:2", "sha256:12");
  expect(await ok("manifest", "rm", "list:1", "list:2")).toMatch(
    /^Untagged: list:1\nDeleted: [0-9a-f]{64}\nUntagged: list:2\n/,
  );
  await fails(1, "no such manifest list", "manifest", "rm", "list:1");
  expect(await ok("manifest", "rm", "--ignore", "list:1")).toBe("");
});
