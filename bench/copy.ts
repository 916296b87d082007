import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startRegistry } from "../test/harness/registry.ts";
import type { Setting } from "./cases.ts";
import { LargestLayer } from "./largest-layer.ts";
import { interleave, type Row, type Sampler, timed, together } from "./measurement.ts";
import { slowLine } from "./slow-line.ts";
import { isWanted, largeImage } from "./wanted.ts";

/**
 * Copies of the image of `--large` out of its registry, beside skopeo: to a directory; to another registry, which is a new one each time; and
 * between two repositories of one, where nothing has to be sent. What a copy to another registry cannot be faster than is measured with it: curl
 * alone sending the largest layer out of a file, which is one request that takes one byte after the other.
 */
export async function copy(setting: Setting): Promise<Row[]> {
  const image = largeImage(setting);
  const row: Rows = async (work, programs, sample, others = {}) => {
    const samplers = programs.map(([name, program]): readonly [string, Sampler] => [name, () => sample(program)]);
    return {
      work,
      unit: "ms",
      samples: await interleave({ ...Object.fromEntries(samplers), ...others }, setting.rounds),
    };
  };
  using layer = await LargestLayer.of(image);
  const programs = programsOf(setting);
  return [
    await row("copy from a registry to a directory", programs, (program) => toDirectory(program, image)),
    await row("copy from a registry to a registry", programs, (program) => toRegistry(program, image), {
      "largest layer": () => layer.upload(),
    }),
    ...(await withinRegistry(image, programs, row)),
  ];
}

type Programs = readonly (readonly [name: string, program: readonly string[]])[];
type Rows = (
  work: string,
  programs: Programs,
  sample: (program: readonly string[]) => Promise<number>,
  others?: Readonly<Record<string, Sampler>>,
) => Promise<Row>;

function programsOf(setting: Setting): Programs {
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
    return await copyPlain(program, image, `${registry.host}/copied:1`);
  } finally {
    await registry.stop();
  }
}

/** A copy between registries without TLS; its time in milliseconds. */
async function copyPlain(program: readonly string[], from: string, to: string): Promise<number> {
  const [time = Number.NaN] = await together([
    [...program, "--src-tls-verify=false", "--dest-tls-verify=false", `docker://${from}`, `docker://${to}`],
  ]);
  return time;
}

/**
 * Each copy goes to a repository that there was not before. skopeo looks up in a cache of its own what a registry may have; on a machine
 * that it has not copied the image on, there is nothing in it.
 */
async function withinRegistry(image: string, programs: Programs, row: Rows): Promise<Row[]> {
  const registry = await startRegistry();
  try {
    await copyPlain(programs[0]?.[1] ?? [], image, `${registry.host}/original:1`);
    let made = 0;
    const through = (host: string) => (program: readonly string[]) =>
      copyPlain(program, `${host}/original:1`, `${host}/copy-${++made}:1`);
    const work = "copy to another repository of a registry";
    const fresh = programs.map(([name, program]) => [name, name === "skopeo" ? forgetful(program) : program] as const);
    using line = slowLine(Number(registry.host.split(":")[1]));
    return [
      await row(work, programs, through(registry.host)),
      await row(`${work}, over a line of 20 ms`, programs, through(line.host)),
      await row(`${work}, the first time on a machine`, fresh, through(registry.host)),
    ];
  } finally {
    await registry.stop();
  }
}

/** skopeo with nothing in its cache. */
function forgetful(program: readonly string[]): readonly string[] {
  const cache = "/var/lib/containers/cache";
  const script = `mkdir -p ${cache} && mount -t tmpfs none ${cache} && exec "$0" "$@"`;
  return ["unshare", "--mount", "sh", "-c", script, ...program];
}
