import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startRegistry } from "../test/harness/registry.ts";
import type { Setting } from "./cases.ts";
import { interleave, type Row, type Sampler, timed } from "./measurement.ts";
import { isWanted, largeImage } from "./wanted.ts";

/** Copies of the image of `--large` out of its registry, beside skopeo: to a directory, and to another registry, which is a new one each time. */
export async function copy(setting: Setting): Promise<Row[]> {
  const image = largeImage(setting);
  const programs = programsOf(setting);
  const row = async (work: string, sample: (program: readonly string[]) => Promise<number>): Promise<Row> => {
    const samplers = programs.map(([name, program]): readonly [string, Sampler] => [name, () => sample(program)]);
    return { work, unit: "ms", samples: await interleave(Object.fromEntries(samplers), setting.rounds) };
  };
  return [
    await row("copy from a registry to a directory", (program) => toDirectory(program, image)),
    await row("copy from a registry to a registry", (program) => toRegistry(program, image)),
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
    const insecure = ["--src-tls-verify=false", "--dest-tls-verify=false"];
    return timed([...program, ...insecure, `docker://${image}`, `docker://${registry.host}/copied:1`]);
  } finally {
    await registry.stop();
  }
}
