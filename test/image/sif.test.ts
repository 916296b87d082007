/** Images of the sif: transport, from files that mksquashfs and the harness make. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImageConfig, ImageManifest } from "../../src/spec/image.ts";
import { asSkopeo } from "../harness/as-skopeo.ts";
import { createStore, type Store } from "../harness/galley.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { type SifPart, sif } from "../harness/sif.ts";
import { squashfsOf } from "../harness/squashfs.ts";
import { makeKindsOfFiles } from "../layers/kinds-of-files.ts";
import { describeTree } from "../layers/tree.ts";

const needs = { commands: ["mksquashfs"] };
const definition = `Bootstrap: docker
From: busybox

%environment
    # what it runs in
    export GREETING="hello  there"

%post
    touch /made
%runscript
    echo "$GREETING" "$@"

    exit 3
`;
const script = '#!/bin/bash\nexport GREETING="hello  there"\necho "$GREETING" "$@"\n\nexit 3\n';

let base: string;
let store: Store;
let squashfs: Buffer;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "galley-sif-"));
  store = createStore();
  if (missing(needs) === undefined) squashfs = squashfsOf(smallTree(), ["-all-root"]);
});
afterAll(async () => {
  await store.cleanup();
  rmSync(base, { recursive: true, force: true });
});

let count = 0;
const fresh = (name: string) => join(base, `${++count}-${name}`);

function smallTree(): string {
  const tree = fresh("tree");
  mkdirSync(join(tree, "etc"), { recursive: true });
  writeFileSync(join(tree, "etc/hostname"), "inside\n");
  symlinkSync("etc/hostname", join(tree, "link"));
  for (const path of [join(tree, "etc"), tree]) utimesSync(path, 1_000_000_000, 1_000_000_000);
  return tree;
}

function sifOf(...parts: readonly SifPart[]): string {
  const path = fresh("image.sif");
  writeFileSync(path, sif(parts));
  return path;
}

/** A SIF of the primary partition and a definition. */
const usual = () => sifOf({ type: 0x4001, content: definition }, { type: 0x4004, content: squashfs });

/** Copies a place to a directory, by Galley or by another program; gives the parts. */
async function copied(place: string, program?: string) {
  const to = fresh("dir");
  if (program === undefined) await store.ok(["copy", "-q", place, `dir:${to}`]);
  else {
    const child = Bun.spawnSync([program, "copy", "--insecure-policy", "-q", place, `dir:${to}`]);
    if (child.exitCode !== 0) throw new Error(child.stderr.toString());
  }
  const manifest = JSON.parse(readFileSync(join(to, "manifest.json"), "utf8")) as ImageManifest;
  const blob = (digest: string) => join(to, digest.slice("sha256:".length));
  const layer = manifest.layers[0]?.digest ?? "";
  const config = JSON.parse(readFileSync(blob(manifest.config.digest), "utf8")) as ImageConfig;
  return { manifest, config, layer, tar: blob(layer) };
}

function unpacked(tar: string) {
  const directory = fresh("unpacked");
  mkdirSync(directory);
  const flags = ["--numeric-owner", "--same-owner", "--xattrs", "--xattrs-include=*"];
  Bun.spawnSync(["tar", "-C", directory, "-xpf", tar, ...flags]);
  return describeTree(directory);
}

describe("an image in a SIF", () => {
  testWith(needs, "runs bash where no definition says otherwise, and says where it is from", async () => {
    const { manifest, config, layer, tar } = await copied(`sif:${sifOf({ type: 0x4004, content: squashfs })}`);
    expect(manifest.mediaType).toBe("application/vnd.oci.image.manifest.v1+json");
    expect(manifest.layers).toHaveLength(1);
    expect(config).toEqual({
      created: "2020-09-13T12:26:40Z",
      architecture: "amd64",
      os: "linux",
      config: { Cmd: ["bash"] },
      rootfs: { type: "layers", diff_ids: [layer] },
      history: [
        {
          created: "2020-09-13T12:26:40Z",
          created_by: `/bin/sh -c #(nop) ADD file:${layer.slice(7)} in /`,
          comment: "imported from SIF, uuid: 00010203-0405-0607-0809-0a0b0c0d0e0f",
        },
        { created: "2020-09-13T12:26:40Z", created_by: '/bin/sh -c #(nop) CMD ["bash"]', empty_layer: true },
      ],
    });
    expect(unpacked(tar).map(({ path }) => path)).toEqual(["", "etc", "etc/hostname", "link"]);
  });

  testWith(needs, "is the same for the same file", async () => {
    const path = usual();
    expect((await copied(`sif:${path}`)).manifest).toEqual((await copied(`sif:${path}`)).manifest);
  });

  testWith(needs, "runs the script of its definition", async () => {
    const { config, tar } = await copied(`sif:${usual()}`);
    expect(config.config?.Cmd).toEqual(["/podman/runscript"]);
    const list = Bun.spawnSync(["tar", "-xOf", tar, "podman/runscript"]);
    expect(list.stdout.toString()).toBe(script);
  });

  testWith(needs, "is inspected as skopeo does, and brought to the store", async () => {
    const path = usual();
    const inspected = await asSkopeo(store, [
      "inspect",
      "--format",
      "{{.Architecture}} {{len .Layers}}",
      `sif:${path}`,
    ]);
    expect(inspected).toEqual({ status: 0, stdout: "amd64 1\n", stderr: "" });
    await store.ok(["copy", "-q", `sif:${path}`, "containers-storage:from/sif:1"]);
    expect(await store.ok(["image", "inspect", "-f", "{{.Config.Cmd}}", "from/sif:1"])).toBe("[/podman/runscript]");
  });

  testWith(
    { root: true, commands: ["mksquashfs", "busybox"] },
    "runs from the store as its definition says",
    async () => {
      const tree = smallTree();
      mkdirSync(join(tree, "bin"));
      copyFileSync(Bun.which("busybox") ?? "", join(tree, "bin/sh"));
      writeFileSync(join(tree, "bin/bash"), '#!/bin/sh\nexec /bin/sh "$@"\n', { mode: 0o755 });
      const path = sifOf({ type: 0x4001, content: definition }, { type: 0x4004, content: squashfsOf(tree) });
      await store.ok(["copy", "-q", `sif:${path}`, "containers-storage:from/sif:run"]);
      const ran = await store.galley(["run", "--rm", "from/sif:run", "/podman/runscript", "everybody"]);
      expect(ran).toEqual({ status: 3, stdout: "hello  there everybody\n", stderr: "" });
    },
  );

  testWith(needs, "is read and never written or removed", async () => {
    const written = await asSkopeo(store, ["copy", `sif:${usual()}`, `sif:${fresh("new.sif")}`]);
    expect(written.stderr).toContain("locations can only be read from, not written to");
    const deleted = await asSkopeo(store, ["delete", `sif:${usual()}`]);
    expect(deleted.stderr).toContain("Deleting images not implemented for sif: images");
  });

  testWith(needs, "is judged by the path's scope of a policy", async () => {
    const policy = fresh("policy.json");
    const path = usual();
    const scopes = { [base]: [{ type: "reject" }], [path]: [{ type: "insecureAcceptAnything" }] };
    writeFileSync(policy, JSON.stringify({ default: [{ type: "reject" }], transports: { sif: scopes } }));
    const copy = (from: string) => asSkopeo(store, ["--policy", policy, "copy", `sif:${from}`, `dir:${fresh("to")}`]);
    expect((await copy(path)).status).toBe(0);
    expect((await copy(usual())).stderr).toContain("is rejected by policy");
  });
});

/** Of what is made by the conversion the times differ; and unsquashfs makes two FIFOs of one with two names. */
const comparable = (tar: string) =>
  unpacked(tar)
    .filter(({ path }) => !path.startsWith("podman"))
    .map((inode) => (inode.type === "fifo" ? { ...inode, first: "" } : inode));

describe("an image in a SIF is what skopeo makes of it", () => {
  const real = { root: true, commands: ["mksquashfs", "unsquashfs", "fakeroot", "skopeo"] };
  testWith(
    real,
    "of every kind of file",
    async () => {
      const tree = fresh("kinds");
      makeKindsOfFiles(tree);
      const path = sifOf({ type: 0x4001, content: definition }, { type: 0x4004, content: squashfsOf(tree) });
      const [ours, theirs] = [await copied(`sif:${path}`), await copied(`sif:${path}`, Bun.which("skopeo") ?? "")];
      expect(JSON.stringify(ours.config).replaceAll(ours.layer.slice(7), "LAYER")).toBe(
        JSON.stringify(theirs.config).replaceAll(theirs.layer.slice(7), "LAYER"),
      );
      expect(comparable(ours.tar)).toEqual(comparable(theirs.tar));
      const scripts = [ours, theirs].map(({ tar }) => Bun.spawnSync(["sh", "-c", `tar -xOf ${tar} podman/runscript || tar -xOf ${tar} ./podman/runscript`])); // biome-ignore format: pairs
      expect(scripts.map(({ stdout }) => stdout.toString())).toEqual([script, script]);
    },
    60_000,
  );
});

test("a place of sif: needs a file", async () => {
  expect((await asSkopeo(store, ["inspect", "sif:"])).stderr).toContain("it names no file");
});
