import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf, hostArchitecture } from "../test/harness/image-builder.ts";
import { removeLeftovers } from "../test/harness/leftovers.ts";
import { file, tar } from "../test/harness/tar.ts";
import type { Setting } from "./cases.ts";
import { galley } from "./contestants.ts";
import { interleave, output, type Row, type Sampler, timed } from "./measurement.ts";
import { isWanted, podmanAt } from "./wanted.ts";

/** Images in each store. */
const MANY = 5000;

/** `images` with a store of 5,000, beside podman with the same. */
export async function images(setting: Setting): Promise<Row[]> {
  const folder = mkdtempSync("/var/tmp/galley-bench-images-");
  const programs = programsOf(setting, folder);
  try {
    const archive = makeArchive(folder);
    for (const [name, program] of Object.entries(programs)) {
      console.error(`bench: ${MANY} images into ${name}`);
      output([...program, "load", "-q", "-i", archive]);
    }
    const list = ([name, program]: readonly [string, readonly string[]]): readonly [string, Sampler] => [
      name,
      () => timed([...program, "images"]),
    ];
    const samplers = Object.fromEntries(Object.entries(programs).map(list));
    return [{ work: `images with ${MANY} images`, unit: "ms", samples: await interleave(samplers, setting.rounds) }];
  } finally {
    if (programs.podman !== undefined) output([...programs.podman, "system", "reset", "-f"]);
    await removeLeftovers([folder]);
    rmSync(folder, { recursive: true, force: true });
  }
}

function programsOf(setting: Setting, folder: string): Record<string, readonly string[]> {
  return {
    galley: galley(setting.contestants[0]?.program[0] ?? "", join(folder, "galley")).program,
    ...(isWanted(setting, "podman") ? { podman: podmanAt(folder) } : {}),
  };
}

/** An archive of `docker save` with that many images of one small layer, each with a configuration and a name of its own. */
function makeArchive(folder: string): string {
  const layer = tar([file("etc/motd", "one of many")]);
  const numbers = Array.from({ length: MANY }, (_, number) => number);
  const manifest = numbers.map((number) => ({
    Config: `${number}.json`,
    RepoTags: [`localhost/bench/image-${number}:1`],
    Layers: ["layer.tar"],
  }));
  const path = join(folder, "archive.tar");
  writeFileSync(
    path,
    tar([
      file("layer.tar", layer),
      ...numbers.map((number) => file(`${number}.json`, configuration(number, digestOf(layer)))),
      file("manifest.json", JSON.stringify(manifest)),
    ]),
  );
  return path;
}

function configuration(number: number, diffId: string): string {
  return JSON.stringify({
    architecture: hostArchitecture(),
    os: "linux",
    created: new Date(1e12 + number * 60_000).toISOString(),
    config: { Cmd: ["sh"], Labels: { number: String(number) } },
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [{ created_by: "bench" }],
  });
}
