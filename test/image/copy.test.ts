import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CopyOptions, copyImage } from "../../src/image/copy/copy.ts";
import { openDestination, openSource, type PlaceOptions } from "../../src/image/transports/open-place.ts";
import { parsePlace } from "../../src/image/transports/place-name.ts";
import type { ImageManifest } from "../../src/spec/image.ts";
import { type BuiltImage, buildImage, buildIndex } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { testWith } from "../harness/requirements.ts";
import { file } from "../harness/tar.ts";

const noise = crypto.getRandomValues(new Uint8Array(60_000));
const layer = (name: string) => ({ entries: Array.from({ length: 40 }, (_, n) => file(`${name}-${n}`, noise)) });
const image = (format: "oci" | "docker", architecture = "amd64"): BuiltImage =>
  buildImage({
    layers: [layer(`base-${architecture}`), { entries: [file("small", "few")] }],
    format,
    platform: { os: "linux", architecture },
    config: { Env: ["PATH=/bin"], Labels: { a: "b" } },
  });

let registry: Registry;
let other: Registry;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "galley-copy-"));
  [registry, other] = await Promise.all([startRegistry(), startRegistry()]);
  await registry.push("team/oci", "1", image("oci"));
  await registry.push("team/docker", "1", image("docker"));
  await registry.push("team/list", "1", buildIndex([image("oci", "amd64"), image("oci", "arm64")]));
});
afterAll(async () => {
  await Promise.all([registry?.stop(), other?.stop()]);
  rmSync(directory, { recursive: true, force: true });
});

let count = 0;
const fresh = (name: string) => join(directory, `${++count}-${name}`);

/** Copies between two places as they are written on the command line. */
async function copy(from: string, to: string, options: CopyOptions = {}, places: PlaceOptions = {}) {
  const source = await openSource(parsePlace(from), places);
  try {
    const destination = await openDestination(parsePlace(to), places);
    try {
      return await copyImage(source, destination, options);
    } finally {
      await destination.close();
    }
  } finally {
    await source.close();
  }
}

function skopeo(...args: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["skopeo", "--insecure-policy", ...args]);
  if (exitCode !== 0) throw new Error(`skopeo ${args.join(" ")}: ${stderr.toString()}`);
  return stdout.toString();
}

interface Inspected {
  readonly Digest: string;
  readonly Layers: readonly string[];
}

function inspected(place: string): Inspected {
  const tls = place.startsWith("docker://") ? ["--tls-verify=false"] : [];
  return JSON.parse(skopeo("inspect", "--no-tags", ...tls, place)) as Inspected;
}

const diffIdsOf = (place: string): readonly string[] => {
  const tls = place.startsWith("docker://") ? ["--tls-verify=false"] : [];
  const config = JSON.parse(skopeo("inspect", "--config", ...tls, place)) as { rootfs: { diff_ids: string[] } };
  return config.rootfs.diff_ids;
};

const needs = { commands: ["skopeo", "docker-registry"] };

describe("each transport takes an image and gives it back, and skopeo reads it", () => {
  const kinds = [
    ["oci", () => `oci:${fresh("layout")}:app`],
    ["oci-archive", () => `oci-archive:${fresh("layout.tar")}:app`],
    ["docker-archive", () => `docker-archive:${fresh("docker.tar")}:team/app:1`],
    ["dir", () => `dir:${fresh("dir")}`],
    ["docker", () => `docker://${other.host}/team/copied:${++count}`],
  ] as const;
  for (const [kind, place] of kinds) {
    for (const format of ["oci", "docker"] as const) {
      testWith(needs, `${kind}, an image in ${format}'s format`, async () => {
        const from = `docker://${registry.host}/team/${format}:1`;
        const at = place();
        const result = await copy(from, at);
        expect(diffIdsOf(at)).toEqual(diffIdsOf(from));
        if (kind !== "docker-archive") expect(inspected(at).Digest).toBe(result.digest);
        const back = `docker://${other.host}/back/${format}:${++count}`;
        await copy(at, back);
        expect(diffIdsOf(back)).toEqual(diffIdsOf(from));
        const kept = kind === "dir" || kind === "docker" || (format === "oci" && kind !== "docker-archive");
        if (kept) expect(inspected(back).Digest).toBe(inspected(from).Digest);
      });
    }
  }
});

describe("what skopeo writes is read", () => {
  const kinds = [
    ["oci", () => `oci:${fresh("layout")}:app`],
    ["oci-archive", () => `oci-archive:${fresh("layout.tar")}:app`],
    ["docker-archive", () => `docker-archive:${fresh("docker.tar")}:team/app:1`],
    ["dir", () => `dir:${fresh("dir")}`],
  ] as const;
  for (const [kind, place] of kinds) {
    testWith(needs, kind, async () => {
      const from = `docker://${registry.host}/team/docker:1`;
      const at = place();
      skopeo("copy", "-q", "--src-tls-verify=false", from, at);
      const back = `docker://${other.host}/skopeo/${kind}:1`;
      await copy(at, back);
      expect(diffIdsOf(back)).toEqual(diffIdsOf(from));
    });
  }
});

testWith(
  { root: true, commands: ["umoci", "docker-registry"] },
  "umoci unpacks what is written, and what it writes is read",
  async () => {
    const umoci = (...args: readonly string[]) => {
      const { exitCode, stderr } = Bun.spawnSync(["umoci", ...args]);
      expect({ exitCode, stderr: exitCode === 0 ? "" : stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
    };
    const layout = fresh("layout");
    const bundle = fresh("bundle");
    await copy(`docker://${registry.host}/team/docker:1`, `oci:${layout}:app`);
    umoci("unpack", "--image", `${layout}:app`, bundle);
    expect(readFileSync(join(bundle, "rootfs/small"), "utf8")).toBe("few");
    umoci("insert", "--image", `${layout}:app`, "--tag", "more", join(bundle, "rootfs/small"), "/added");
    const at = `docker://${other.host}/team/umoci:1`;
    await copy(`oci:${layout}:more`, at);
    expect(diffIdsOf(at)).toHaveLength(3);
  },
);

describe("layers are compressed as asked", () => {
  for (const format of ["gzip", "zstd", "none"] as const) {
    testWith(needs, format, async () => {
      const at = `dir:${fresh("dir")}`;
      const { mediaType, bytes } = await copy(`docker://${registry.host}/team/docker:1`, at, {
        compression: { format },
      });
      const { layers } = JSON.parse(Buffer.from(bytes).toString("utf8")) as ImageManifest;
      const suffix = { gzip: "gzip", zstd: "+zstd", none: "tar" }[format];
      expect(layers.map((one) => one.mediaType.endsWith(suffix))).toEqual([true, true]);
      expect(mediaType).toContain(format === "zstd" ? "oci" : "docker");
      expect(diffIdsOf(at)).toEqual(diffIdsOf(`docker://${registry.host}/team/docker:1`));
    });
  }

  testWith(needs, "and plain ones are compressed for a registry, unless digests are to be preserved", async () => {
    const plain = `dir:${fresh("dir")}`;
    await copy(`docker://${registry.host}/team/oci:1`, plain, { compression: { format: "none" } });
    const packed = await copy(plain, `docker://${other.host}/team/packed:1`);
    expect(Buffer.from(packed.bytes).toString()).toContain("tar+gzip");
    const kept = await copy(plain, `docker://${other.host}/team/kept:1`, { preserveDigests: true });
    expect(kept.digest).toBe(inspected(plain).Digest);
  });
});

describe("a list", () => {
  testWith(needs, "is copied whole, with its digest", async () => {
    const from = `docker://${registry.host}/team/list:1`;
    for (const at of [`dir:${fresh("dir")}`, `oci:${fresh("layout")}:l`, `docker://${other.host}/team/list:1`]) {
      const { digest } = await copy(from, at, { lists: "all" });
      expect(digest).toBe(inspected(from).Digest);
      const tls = at.startsWith("docker:") ? ["--src-tls-verify=false"] : [];
      skopeo("copy", "-q", "--all", ...tls, at, `dir:${fresh("check")}`);
    }
  });

  testWith(needs, "gives the image for one platform", async () => {
    const at = `dir:${fresh("dir")}`;
    await copy(`docker://${registry.host}/team/list:1`, at, { platform: { os: "linux", architecture: "arm64" } });
    const { Architecture } = JSON.parse(skopeo("inspect", at)) as { Architecture: string };
    expect(Architecture).toBe("arm64");
  });

  testWith(needs, "is reduced to some platforms", async () => {
    const at = `dir:${fresh("dir")}`;
    const only = [{ os: "linux", architecture: "amd64" }];
    const { bytes } = await copy(`docker://${registry.host}/team/list:1`, at, { lists: "all", only });
    expect(JSON.parse(Buffer.from(bytes).toString()).manifests).toHaveLength(1);
  });

  testWith(needs, "is converted with its images", async () => {
    const at = `docker://${other.host}/team/converted:1`;
    await copy(`docker://${registry.host}/team/list:1`, at, { lists: "all", format: "v2s2" });
    const list = JSON.parse(skopeo("inspect", "--raw", "--tls-verify=false", at));
    expect(list.mediaType).toBe("application/vnd.docker.distribution.manifest.list.v2+json");
    expect(list.manifests).toHaveLength(2);
  });
});

testWith(needs, "within a registry, layers are mounted and not sent", async () => {
  const seen: string[] = [];
  const onProgress: CopyOptions["onProgress"] = (event) => {
    if (event.kind === "blob") seen.push(event.status);
  };
  await copy(`docker://${registry.host}/team/oci:1`, `docker://${registry.host}/other/oci:1`, { onProgress });
  expect(seen).toEqual(["mounted", "mounted", "mounted"]);
  seen.length = 0;
  await copy(`docker://${registry.host}/other/oci:1`, `docker://${registry.host}/other/oci:2`, { onProgress });
  expect(seen).toEqual(["present", "present", "present"]);
});

testWith(needs, "digests that cannot be preserved are refused", async () => {
  const work = copy(`docker://${registry.host}/team/oci:1`, `docker-archive:${fresh("a.tar")}:a:1`, {
    preserveDigests: true,
  });
  await expect(work).rejects.toThrow("Instructed to preserve digests");
});

test("a failed copy leaves no archive", async () => {
  const path = fresh("a.tar");
  await expect(copy(`docker://${registry.host}/team/none:1`, `oci-archive:${path}`)).rejects.toThrow("not found");
  expect(readdirSync(directory).filter((name) => path.endsWith(name) || name.includes("partial"))).toEqual([]);
});

test("a blob that is not what its manifest says is refused with what and where", async () => {
  const at = fresh("dir");
  await copy(`docker://${registry.host}/team/oci:1`, `dir:${at}`);
  const largest = readdirSync(at).sort((a, b) => statSync(join(at, b)).size - statSync(join(at, a)).size)[0] ?? "";
  const bytes = readFileSync(join(at, largest));
  bytes[1000]! ^= 1;
  writeFileSync(join(at, largest), bytes);
  for (const to of [
    `oci:${fresh("layout")}`,
    `docker://${other.host}/team/bad:1`,
    `docker-archive:${fresh("bad.tar")}`,
  ]) {
    await expect(copy(`dir:${at}`, to)).rejects.toThrow(/not what its descriptor says|damaged/);
  }
});

test("so many layers as are asked for are on their way at a time, the largest first", async () => {
  const sizes = [3, 1, 4, 2].map((share) => ({ entries: [file("noise", noise.subarray(0, share * 10_000))] }));
  await registry.push("team/sizes", "1", buildImage({ layers: sizes, format: "oci" }));
  const source = await openSource(parsePlace(`docker://${registry.host}/team/sizes:1`), {});
  const destination = await openDestination(parsePlace(`dir:${fresh("sizes")}`), {});
  const begun: number[] = [];
  let [now, most] = [0, 0];
  const write = destination.writeBlob.bind(destination);
  destination.writeBlob = async (blob, options) => {
    if (!blob.mediaType.includes("layer")) return write(blob, options);
    begun.push(blob.expected?.size ?? 0);
    most = Math.max(most, ++now);
    await Bun.sleep(20);
    return write(blob, options).finally(() => now--);
  };
  await copyImage(source, destination, { atOnce: 2 });
  expect(begun).toEqual(begun.toSorted((a, b) => b - a));
  expect({ layers: begun.length, most }).toEqual({ layers: 4, most: 2 });
  await destination.close();
  await source.close();
});
