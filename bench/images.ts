import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf, hostArchitecture } from "../test/harness/image-builder.ts";
import { removeLeftovers } from "../test/harness/leftovers.ts";
import { file, tar } from "../test/harness/tar.ts";
import type { Setting } from "./cases.ts";
import { galley } from "./contestants.ts";
import { interleave, output, type Row, type Sampler, timed } from "./measurement.ts";
import { addToPodman } from "./podman-images.ts";
import { isWanted, podmanAt } from "./wanted.ts";

/** Images in each store. */
const MANY = 5000;

/** `images` with a store of 5,000, beside podman with the same. */
export async function images(setting: Setting): Promise<Row[]> {
  const folder = mkdtempSync("/var/tmp/galley-bench-images-");
  const programs = programsOf(setting, folder);
  try {
    for (const [name, program] of Object.entries(programs)) {
      console.error(`bench: ${MANY} images into ${name}`);
      fill(name, program, folder);
      const lines = output([...program, "images", "-q"])
        .trim()
        .split("\n").length;
      if (lines !== MANY) throw new Error(`${name} lists ${lines} images`);
    }
    const list = ([name, program]: readonly [string, readonly string[]]): readonly [string, Sampler] => [
      name,
      () => timed([...program, "images"]),
    ];
    const samplers = Object.fromEntries(Object.entries(programs).map(list));
    return [{ work: `images with ${MANY} images`, unit: "ms", samples: await interleave(samplers, setting.rounds) }];
  } finally {
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

function fill(name: string, program: readonly string[], folder: string): void {
  output([...program, "load", "-q", "-i", makeArchive(folder, name === "podman" ? 1 : MANY)]);
  if (name !== "podman") return;
  const layer = digestOf(makeLayer());
  const variants = Array.from({ length: MANY - 1 }, (_, before) => ({
    ...{ name: nameOf(before + 1), created: createdAt(before + 1), config: configuration(before + 1, layer) },
  }));
  addToPodman(join(folder, "podman"), variants);
}

const makeLayer = () => tar([file("etc/motd", "one of many")]);
const nameOf = (number: number) => `localhost/bench/image-${number}:1`;
const createdAt = (number: number) => new Date(1e12 + number * 60_000).toISOString();

/** An archive of `docker save` with that many images of one small layer, each with a configuration and a name of its own. */
function makeArchive(folder: string, many: number): string {
  const layer = makeLayer();
  const numbers = Array.from({ length: many }, (_, number) => number);
  const manifest = numbers.map((number) => ({
    Config: `${number}.json`,
    RepoTags: [nameOf(number)],
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
    created: createdAt(number),
    config: { Cmd: ["sh"], Labels: { number: String(number) } },
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [{ created_by: "bench" }],
  });
}
