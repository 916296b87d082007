/** Programs of others push to `galley registry serve` and pull from it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStore, type Store } from "../harness/galley.ts";
import { type BuiltImage, buildImage, buildIndex, writeLayout } from "../harness/image-builder.ts";
import { type Requirements, testWith } from "../harness/requirements.ts";
import { type ServedRegistry, serveRegistry } from "../harness/serve.ts";
import { file } from "../harness/tar.ts";

let folder: string;
let store: Store;
let server: ServedRegistry;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "galley-clients-"));
  store = createStore();
  server = await serveRegistry(join(folder, "registry"));
  writeLayout(join(folder, "layout"), "1", image);
  writeLayout(join(folder, "list"), "1", list);
  await store.ok(["copy", "-q", `oci:${folder}/layout:1`, `docker-archive:${folder}/image.tar:test/app:1`]);
});
afterAll(async () => {
  await server?.stop();
  await store?.cleanup();
  rmSync(folder, { recursive: true, force: true });
});

const noise = crypto.getRandomValues(new Uint8Array(3_000_000));
const of = (architecture: string): BuiltImage =>
  buildImage({
    layers: [{ entries: [file("noise", noise)] }, { entries: [file("for", architecture)] }],
    platform: { os: "linux", architecture },
  });
const image = of("amd64");
const list = buildIndex([image, of("arm64")]);

/** Runs a program that must succeed; gives what it printed. */
function run(command: readonly string[]): string {
  const env = { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder };
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], { env, stdin: "ignore" });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: exit status ${exitCode}: ${stderr.toString()}`);
  return stdout.toString().trim();
}

/** The files of a repository's image, as Galley reads it: what was pushed is what is there. */
async function layersOf(repository: string): Promise<readonly string[]> {
  const text = await store.ok(["inspect", "--config", `docker://${server.host}/${repository}`]);
  return (JSON.parse(text) as { rootfs: { diff_ids: string[] } }).rootfs.diff_ids;
}
const diffIds = () =>
  (JSON.parse(Buffer.from(image.blobs[0]!.bytes).toString()) as { rootfs: { diff_ids: string[] } }).rootfs.diff_ids;

describe("skopeo", () => {
  const skopeo = (...args: string[]) => run(["skopeo", "--insecure-policy", ...args]);
  const plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];

  testWith({ commands: ["skopeo"] }, "copies an image there, on from there, and back", () => {
    skopeo("copy", "-q", ...plain, `oci:${folder}/layout:1`, `docker://${server.host}/skopeo/app:1`);
    skopeo("copy", "-q", ...plain, `docker://${server.host}/skopeo/app:1`, `docker://${server.host}/skopeo/other:1`);
    skopeo("copy", "-q", ...plain, `docker://${server.host}/skopeo/other:1`, `dir:${folder}/skopeo`);
    expect(readFileSync(join(folder, "skopeo/manifest.json"), "utf8")).toBe(Buffer.from(image.bytes).toString());
    const [, layer] = image.blobs;
    const kept = readFileSync(join(folder, "skopeo", layer!.descriptor.digest.replace("sha256:", "")));
    expect(Buffer.compare(kept, layer!.bytes)).toBe(0);
  });

  testWith({ commands: ["skopeo"] }, "copies a list with all of its images", () => {
    skopeo("copy", "-q", "--all", ...plain, `oci:${folder}/list:1`, `docker://${server.host}/skopeo/list:1`);
    const raw = skopeo("inspect", "--raw", "--tls-verify=false", `docker://${server.host}/skopeo/list:1`);
    expect(raw).toBe(Buffer.from(list.bytes).toString());
  });

  testWith({ commands: ["skopeo"] }, "lists tags and deletes an image", () => {
    for (const tag of ["1", "2"]) {
      skopeo("copy", "-q", ...plain, `oci:${folder}/layout:1`, `docker://${server.host}/skopeo/gone:${tag}`);
    }
    const tags = () =>
      JSON.parse(skopeo("list-tags", "--tls-verify=false", `docker://${server.host}/skopeo/gone`)).Tags;
    expect(tags()).toEqual(["1", "2"]);
    skopeo("delete", "--tls-verify=false", `docker://${server.host}/skopeo/gone:1`);
    expect(tags()).toEqual([]);
  });

  testWith({ commands: ["skopeo"] }, "converts an image to docker's format on the way", () => {
    skopeo("copy", "-q", "-f", "v2s2", ...plain, `oci:${folder}/layout:1`, `docker://${server.host}/skopeo/v2:1`);
    const raw = JSON.parse(skopeo("inspect", "--raw", "--tls-verify=false", `docker://${server.host}/skopeo/v2:1`));
    expect(raw.mediaType).toBe("application/vnd.docker.distribution.manifest.v2+json");
  });
});

testWith({ root: true, commands: ["podman"] }, "podman pushes and pulls", async () => {
  const at = (name: string) => join(folder, `podman-${name}`);
  const podman = (...args: string[]) =>
    run([
      "podman",
      "--root",
      at("root"),
      "--runroot",
      at("run"),
      "--tmpdir",
      at("tmp"),
      "--storage-driver",
      "vfs",
      ...args,
    ]);
  podman("load", "-q", "-i", `${folder}/image.tar`);
  podman("push", "-q", "--tls-verify=false", "docker.io/test/app:1", `${server.host}/podman/app:1`);
  podman("rmi", "-af");
  podman("pull", "-q", "--tls-verify=false", `${server.host}/podman/app:1`);
  const found = JSON.parse(podman("image", "inspect", `${server.host}/podman/app:1`)) as {
    RootFS: { Layers: string[] };
  }[];
  expect(found[0]?.RootFS.Layers).toEqual([...diffIds()]);
  expect(await layersOf("podman/app:1")).toEqual(diffIds());
});

/** dockerd and containerd in namespaces of their own, which end with the script; the network is this one's. */
function inPrivate(script: string): string {
  return run([
    "unshare",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "sh",
    "-ec",
    `${PRIVATE}${script}`,
  ]);
}

const PRIVATE = `
  mount --make-rprivate / && mount -t tmpfs -o mode=755 private /run && cd /run
  await() { log=$1; shift; for _ in $(seq 300); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; tail "$log" >&2; exit 1; }
  printf 'version = 2\nroot = "/run/private/containerd"\nstate = "/run/containerd"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "/run/containerd.sock"\n' > containerd.toml
  containerd --config containerd.toml > containerd.log 2>&1 &
  await containerd.log ctr --address /run/containerd.sock version
`;

const containerd: Requirements = { root: true, commands: ["containerd", "ctr", "unshare"] };
testWith(containerd, "containerd's ctr pushes and pulls", async () => {
  const oci = join(folder, "oci.tar");
  await store.ok(["copy", "-q", `oci:${folder}/layout:1`, `oci-archive:${oci}:test`]);
  const said = inPrivate(`
    ctr="ctr --address /run/containerd.sock"
    $ctr images import --base-name ${server.host}/ctr/app --digests=false ${oci} >&2
    name=$($ctr images ls -q | head -n 1)
    $ctr images tag $name ${server.host}/ctr/app:1 >&2 || true
    $ctr images push --plain-http ${server.host}/ctr/app:1 >&2
    $ctr images rm $($ctr images ls -q) >&2
    $ctr content prune references >&2 || true
    $ctr images pull --plain-http --snapshotter native ${server.host}/ctr/app:1 >&2
    $ctr images ls | grep ${server.host}/ctr/app:1`);
  expect(said).toContain(image.descriptor.digest);
  expect(await layersOf("ctr/app:1")).toEqual(diffIds());
});

const docker: Requirements = { root: true, commands: ["dockerd", "containerd", "unshare"], paths: ["/usr/bin/docker"] };
testWith(docker, "docker pushes and pulls", async () => {
  const said = inPrivate(`
    dockerd --host unix:///run/docker.sock --containerd /run/containerd.sock --data-root /run/private/docker --exec-root /run/private/exec \\
      --pidfile /run/docker.pid --storage-driver vfs --bridge none --iptables=false --ip6tables=false --ip-forward=false > dockerd.log 2>&1 &
    docker="/usr/bin/docker --host unix:///run/docker.sock"
    await dockerd.log $docker version
    $docker load -q -i ${folder}/image.tar >&2
    $docker tag test/app:1 ${server.host}/docker/app:1
    $docker push -q ${server.host}/docker/app:1 >&2
    $docker rmi -f test/app:1 ${server.host}/docker/app:1 >&2
    $docker pull -q ${server.host}/docker/app:1 >&2
    $docker image inspect -f '{{json .RootFS.Layers}}' ${server.host}/docker/app:1`);
  expect(JSON.parse(said)).toEqual(diffIds());
  expect(await layersOf("docker/app:1")).toEqual(diffIds());
});

testWith(
  { root: true, commands: ["umoci", "skopeo"] },
  "umoci reads what the registry keeps, where it keeps it",
  async () => {
    await store.ok(["copy", "-q", `oci:${folder}/layout:1`, `docker://${server.host}/umoci/app:1`]);
    const layout = join(folder, "registry/repositories/umoci/app/_layout");
    run(["umoci", "unpack", "--image", `${layout}:1`, join(folder, "bundle")]);
    expect(Buffer.compare(readFileSync(join(folder, "bundle/rootfs/noise")), noise)).toBe(0);
    expect(run(["umoci", "list", "--layout", layout])).toBe("1");
  },
);

test("Galley pushes and pulls", async () => {
  await store.ok(["load", "-q", "-i", `${folder}/image.tar`]);
  await store.ok(["tag", "test/app:1", `${server.host}/galley/app:1`]);
  await store.ok(["push", "-q", `${server.host}/galley/app:1`]);
  await store.ok(["rmi", "-f", "test/app:1", `${server.host}/galley/app:1`]);
  await store.ok(["pull", "-q", `${server.host}/galley/app:1`]);
  expect(await layersOf("galley/app:1")).toEqual(diffIds());
});
