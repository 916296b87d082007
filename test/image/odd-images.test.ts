/** Images as other programs write them, and as nobody should: taken where docker and podman take them, else refused in plain words. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImageConfig, ImageManifest } from "../../src/spec/image.ts";
import { createStore, type Store } from "../harness/galley.ts";
import { type BuiltImage, buildImage, digestOf, type ImageInput, writeLayout } from "../harness/image-builder.ts";
import { testWith } from "../harness/requirements.ts";
import { file, tar } from "../harness/tar.ts";

setDefaultTimeout(60_000);

let store: Store;
let folder: string;
beforeAll(() => {
  store = createStore();
  folder = mkdtempSync(join(tmpdir(), "galley-odd-"));
});
afterAll(async () => {
  await store?.cleanup();
  rmSync(folder, { recursive: true, force: true });
});

const layer = tar([file("etc/hostname", "odd\n")]);
let count = 0;

/** A layout with one image of the name `odd/image:N`; gives its path and the name. */
function layout(input: Partial<ImageInput> = {}): { readonly path: string; readonly name: string } {
  const image: BuiltImage = buildImage({ layers: [{ archive: layer, compression: "none" }], ...input });
  const path = join(folder, `layout${++count}`);
  mkdirSync(path);
  writeLayout(path, `odd/image:${count}`, image);
  return { path, name: `odd/image:${count}` };
}

const withConfig = (change: object) =>
  layout({ editConfig: (config: ImageConfig) => ({ ...config, ...change }) as unknown });

describe("configurations", () => {
  test("`null` is a field that is not there", async () => {
    const { path, name } = withConfig({ config: null, history: null });
    await store.ok(["load", "-i", path]);
    expect(await store.ok(["history", "-q", name])).toBe("");
    expect(await store.ok(["inspect", "--format", "{{.Config.Cmd}} {{.Config.User}}", name])).toBe("[] ");
    const { status, stderr } = await store.galley(["run", "--rm", "--network", "none", name, "/nosuch"]);
    expect({ status, stderr }).toMatchObject({ status: 127, stderr: expect.stringContaining("/nosuch") });
  });

  test("an image without layers says `null`", async () => {
    const { path, name } = layout({
      layers: [],
      editConfig: (config) => ({ ...config, rootfs: { type: "layers", diff_ids: null } }),
    });
    await store.ok(["load", "-i", path]);
    expect(await store.ok(["images", "-q", name])).not.toBe("");
    expect(await store.ok(["inspect", "--format", "{{len .RootFS.Layers}}", name])).toBe("0");
  });

  test("what does not say its system has none in its document", async () => {
    const { path, name } = withConfig({ architecture: undefined, os: undefined });
    await store.ok(["load", "-i", path]);
    expect(await store.ok(["inspect", "--format", "<{{.Architecture}}{{.Os}}>", name])).toBe("<>");
  });

  for (const [change, words] of [
    [{ config: { Cmd: "/bin/sh -c true" } }, "config.Cmd is not a list of strings"],
    [{ config: { Env: { A: "b" } } }, "config.Env is not a list of strings"],
    [{ config: { Volumes: ["/data"] } }, "config.Volumes is not an object"],
    [{ config: { User: 0 } }, "config.User is not a string"],
    [{ config: [] }, "config is not an object"],
    [{ history: [1] }, "history is not a list of objects"],
  ] as const) {
    test(`refused: ${words}`, async () => {
      const { status, stderr } = await store.galley(["load", "-i", withConfig(change).path]);
      expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining(words) });
    });
  }
});

describe("manifests", () => {
  test("what is a list and an image at once is neither (CVE-2021-41190)", async () => {
    const { path } = layout({ editManifest: (manifest: ImageManifest) => ({ ...manifest, manifests: [] }) });
    const { status, stderr } = await store.galley(["copy", `oci:${path}`, `dir:${join(folder, "both")}`]);
    expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining("ambiguous") });
  });

  test("a configuration of an image's type that tells of no layers is copied as it is", async () => {
    const { path } = layout({ editConfig: () => ({}) });
    const copy = join(folder, "no-layers");
    await store.ok(["copy", "-q", `oci:${path}`, `dir:${copy}`]);
    const digest = (place: string) => store.ok(["inspect", "--raw", place]);
    expect(await digest(`dir:${copy}`)).toBe(await digest(`oci:${path}`));
    const refused = await store.galley(["copy", `oci:${path}`, `docker-archive:${copy}.tar:a:1`]);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining("lists no layers") });
  });

  test("an artifact is not loaded", async () => {
    const { path } = layout({
      editManifest: (manifest) => ({
        ...manifest,
        config: { ...manifest.config, mediaType: "application/vnd.oci.empty.v1+json" },
      }),
    });
    const refused = await store.galley(["load", "-i", path]);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining("not a container image") });
  });
});

describe("load", () => {
  test("takes a directory of dir:, which has no name", async () => {
    const { path } = layout();
    const plain = join(folder, "plain");
    await store.ok(["copy", "-q", `oci:${path}`, `dir:${plain}`]);
    const id = (await store.ok(["load", "-i", plain])).replace("Loaded image ID: ", "");
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    const saved = join(folder, "saved");
    await store.ok(["save", "--format", "docker-dir", "-o", saved, id]);
    expect(await store.ok(["load", "-i", saved])).toBe(`Loaded image ID: ${id}`);
  });

  for (const program of ["xz", "bzip2"]) {
    testWith(
      { commands: [program] },
      `takes layers that are compressed with ${program}, in an archive of docker save`,
      async () => {
        const own = tar([file("etc/hostname", `${program}\n`)]);
        const { stdout } = Bun.spawnSync([program, "-c"], { stdin: own });
        const rootfs = { type: "layers", diff_ids: [digestOf(own)] };
        const config = JSON.stringify({ os: "linux", architecture: "amd64", rootfs });
        const list = [{ Config: "config.json", RepoTags: [`packed:${program}`], Layers: ["layer.tar"] }];
        const path = join(folder, `${program}.tar`);
        const files = [
          file("config.json", config),
          file("layer.tar", stdout),
          file("manifest.json", JSON.stringify(list)),
        ];
        writeFileSync(path, tar(files));
        expect(await store.ok(["load", "-i", path])).toBe(`Loaded image: packed:${program}`);
        const whole = await store.ok(["inspect", "--format", "{{.Layers}}", `docker-archive:${path}`]);
        expect(whole).toBe(`[${digestOf(own)}]`);
      },
    );
  }
});

test("DOCKER_HOST is read as docker reads it: tcp: is without TLS where that is not asked for", async () => {
  const answer = () => Response.json({ message: "reference does not exist" }, { status: 404 });
  await using daemon = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  const env = { DOCKER_HOST: `tcp://127.0.0.1:${daemon.port}` };
  const copy = (more: Record<string, string>) =>
    store.galley(["copy", "docker-daemon:a:1", `dir:${join(folder, "daemon")}`], { env: { ...env, ...more } });
  expect((await copy({})).stderr).toContain("reference does not exist");
  expect((await copy({ DOCKER_TLS_VERIFY: "1" })).stderr).toContain("cannot be reached");
});
