/** The measuring itself, started by bench/main.ts. Writes the rows as JSON to standard output, its progress to the other. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { leftoversBelow, removeLeftovers } from "../test/harness/leftovers.ts";
import { readArguments } from "./arguments.ts";
import { makeBundle } from "./bundle.ts";
import { cases, everyCase, type Setting } from "./cases.ts";
import { type Contestant, galley, peers, prepare, removeAll, runtimes } from "./contestants.ts";
import { startDocker } from "./docker.ts";
import type { Row } from "./measurement.ts";

const home = join(import.meta.dir, "..");

function contestantsOf(program: string, store: string, wanted: readonly string[]): Contestant[] {
  const found = peers().filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  return [galley(program, store), ...found];
}

async function measure(names: readonly string[], setting: Setting): Promise<Row[]> {
  const rows: Row[] = [];
  for (const name of names) {
    console.error(`bench: ${name}`);
    rows.push(...((await everyCase[name]?.(setting)) ?? []));
  }
  return rows;
}

/** Removes containers, the store and all else that the benchmark made; says what it could not. */
async function cleanUp(contestants: readonly Contestant[], store: string): Promise<void> {
  for (const contestant of contestants) {
    try {
      removeAll(contestant);
    } catch (failure) {
      console.error(`bench: cleaning up after ${contestant.name}: ${failure}`);
    }
  }
  const { processes, mounts } = leftoversBelow([store]);
  if (processes.length + mounts.length > 0) console.error("bench: galley left", { processes, mounts });
  await removeLeftovers([store]);
  rmSync(store, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const request = readArguments(process.argv.slice(2));
  // Not below /tmp: there is a tmpfs in some places, and overlayfs does not take every file system.
  mkdirSync("/var/tmp", { recursive: true });
  const store = mkdtempSync("/var/tmp/galley-bench-");
  const docker = request.peers.length === 0 || request.peers.includes("docker") ? await startDocker() : undefined;
  let contestants: readonly Contestant[] = [];
  try {
    contestants = contestantsOf(join(home, request.program), store, request.peers);
    for (const contestant of contestants) prepare(contestant, request.image);
    const setting: Setting = {
      contestants,
      peers: request.peers,
      runtimes: runtimes().filter((name) => request.peers.length === 0 || request.peers.includes(name)),
      bun: join(dirname(process.execPath), "bun.exe"),
      subject: { image: request.image, large: request.large, bundle: makeBundle(join(store, "bundle")) },
      rounds: request.rounds,
    };
    const names = request.cases.length === 0 ? Object.keys(cases) : request.cases;
    console.log(JSON.stringify(await measure(names, setting)));
  } finally {
    await cleanUp(contestants, store);
    await docker?.stop();
  }
}

await main();
