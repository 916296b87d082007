import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startRegistry } from "../test/harness/registry.ts";
import type { Setting } from "./cases.ts";
import { LargestLayer } from "./largest-layer.ts";
import { interleave, type Row, type Sampler, timed } from "./measurement.ts";
import { isWanted, largeImage } from "./wanted.ts";

/**
 * Copies of the image of `--large` out of its registry, beside skopeo: to a directory; to another registry, which is a new one each time; and
 * between two repositories of one, where nothing has to be sent. What a copy to another registry cannot be faster than is measured with it: curl
 * alone sending the largest layer out of a file, which is one request that takes one byte after the other.
 */
export async function copy(setting: Setting): Promise<Row[]> {
  const image = largeImage(setting);
  const programs = programsOf(setting);
  const row = async (
    work: string,
    sample: (program: readonly string[]) => Promise<number>,
    others: Readonly<Record<string, Sampler>> = {},
  ): Promise<Row> => {
    const samplers = programs.map(([name, program]): readonly [string, Sampler] => [name, () => sample(program)]);
    return {
      work,
      unit: "ms",
      samples: await interleave({ ...Object.fromEntries(samplers), ...others }, setting.rounds),
    };
  };
  using layer = await LargestLayer.of(image);
  return [
    await row("copy from a registry to a directory", (program) => toDirectory(program, image)),
    await row("copy from a registry to a registry", (program) => toRegistry(program, image), {
      "largest layer": () => layer.upload(),
    }),
    await withinRegistry(image, programs[0]?.[1] ?? [], (sample) =>
      row("copy to another repository of a registry", sample),
    ),
  ];
}

function programsOf(setting: Setting): readonly (readonly [string, readonly string[]])[] {
  const own = [setting.contestants[0]?.program[0] ?? "", "copy", "-q"];
  return [["galley", own], ...(isWanted(setting, "skopeo") ? [["skopeo", ["skopeo", "copy", "-q"]] as const] : [])];
}

async function toDirectory(program: readonly string[], image: string): Promise<number> {
  const folder = mkdtempSync("/var/tmp/galley-bench-copy-");
  try {
    return timed([...program, "--src-tls-verify=false", `docker://${image}`, `dir:${join(folder, "image")}`]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function toRegistry(program: readonly string[], image: string): Promise<number> {
  const registry = await startRegistry();
  try {
    return copyPlain(program, image, `${registry.host}/copied:1`);
  } finally {
    await registry.stop();
  }
}

/** A copy between registries without TLS. */
function copyPlain(program: readonly string[], from: string, to: string): number {
  return timed([...program, "--src-tls-verify=false", "--dest-tls-verify=false", `docker://${from}`, `docker://${to}`]);
}

/** Each copy goes to a repository that there was not before. */
async function withinRegistry<T>(
  image: string,
  program: readonly string[],
  measure: (sample: (program: readonly string[]) => Promise<number>) => Promise<T>,
): Promise<T> {
  const registry = await startRegistry();
  try {
    copyPlain(program, image, `${registry.host}/original:1`);
    let made = 0;
    return await measure(async (each) =>
      copyPlain(each, `${registry.host}/original:1`, `${registry.host}/copy-${++made}:1`),
    );
  } finally {
    await registry.stop();
  }
}
