import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Setting } from "./cases.ts";
import { type Row, timed } from "./measurement.ts";
import { peakMemory } from "./peak-memory.ts";
import { rotated } from "./statistics.ts";

const COMMANDS = ["run", "create", "state", "start", "exec", "kill", "delete"] as const;

type Command = (typeof COMMANDS)[number];

/** Of a `create`. */
const MEMORY_ROUNDS = 8;

/** Milliseconds that a killed process is given to end before it is deleted. */
const END = 20;

/** The commands of an OCI runtime on one bundle: a `run` of `true`, and the life of a container from `create` to `delete`. */
export async function runtime(setting: Setting): Promise<Row[]> {
  const { subject, rounds } = setting;
  const galley = setting.contestants[0]?.program[0] ?? "";
  const programs: Readonly<Record<string, string>> = {
    galley: join(dirname(galley), "galley-runtime"),
    ...Object.fromEntries(setting.runtimes.map((name) => [name, name])),
  };
  const samples = emptySamples(Object.keys(programs));
  for (let round = 0; round <= rounds; round++) {
    for (const name of rotated(Object.keys(programs), round)) {
      const times = await life(programs[name] ?? "", subject.bundle, `galley-bench-${round}`);
      // The first round fills the caches.
      if (round > 0) for (const command of COMMANDS) samples[command][name]?.push(times[command]);
    }
  }
  const rows = COMMANDS.map((command): Row => ({ work: `runtime: ${command}`, unit: "ms", samples: samples[command] }));
  return [...rows, memoryOfCreate(programs, subject.bundle)];
}

/** No samples where this machine does not count. */
function memoryOfCreate(programs: Readonly<Record<string, string>>, bundle: string): Row {
  const sample = (program: string): number[] => {
    const id = "galley-bench-memory";
    const peak = peakMemory([program, "create", "--bundle", bundle, id], [program, "delete", "--force", id]);
    return peak === undefined ? [] : [peak];
  };
  const rounds = Array.from({ length: MEMORY_ROUNDS });
  const entries = Object.entries(programs).map(([name, program]) => [name, rounds.flatMap(() => sample(program))]);
  return { work: "runtime: peak memory of create", unit: "KiB", samples: Object.fromEntries(entries) };
}

function emptySamples(names: readonly string[]): Record<Command, Record<string, number[]>> {
  const empty = COMMANDS.map((command) => [command, Object.fromEntries(names.map((name) => [name, []]))]);
  return Object.fromEntries(empty) as Record<Command, Record<string, number[]>>;
}

async function life(program: string, bundle: string, id: string): Promise<Record<Command, number>> {
  const call = (...args: readonly string[]): number => timed([program, ...args], "ignore");
  execute(bundle, ["true"]);
  const run = call("run", "--bundle", bundle, id);
  execute(bundle, ["sleep", "100000"]);
  const create = call("create", "--bundle", bundle, id);
  const state = call("state", id);
  const start = call("start", id);
  const exec = call("exec", id, "true");
  const kill = call("kill", id, "KILL");
  await Bun.sleep(END);
  return { run, create, state, start, exec, kill, delete: call("delete", id) };
}

function execute(bundle: string, args: readonly string[]): void {
  const path = join(bundle, "config.json");
  const config = JSON.parse(readFileSync(path, "utf8")) as { readonly process: object };
  writeFileSync(path, JSON.stringify({ ...config, process: { ...config.process, args } }));
}
