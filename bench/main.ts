/** Measures Galley beside its peers: starts a registry with the image, then bench/inside.ts where the peers are. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { busyboxImage } from "../test/harness/fixtures.ts";
import { startRegistry } from "../test/harness/registry.ts";
import { readArguments, usage } from "./arguments.ts";
import { everyCase } from "./cases.ts";
import type { Row } from "./measurement.ts";
import { summarize, table } from "./table.ts";

const home = join(import.meta.dir, "..");

/** The command that runs bench/inside.ts, here or where GALLEY_PEERS runs it. */
function insideCommand(argv: readonly string[]): string[] {
  const peers = process.env.GALLEY_PEERS;
  const at = peers === undefined ? home : "/host";
  const command = [join(at, "node_modules/bun/bin/bun.exe"), "run", join(at, "bench/inside.ts"), ...argv];
  return peers === undefined ? command : [peers, "run", ...command];
}

async function measure(argv: readonly string[]): Promise<Row[]> {
  const registry = await startRegistry();
  try {
    const image = await registry.push("bench/busybox", "1", busyboxImage());
    const child = Bun.spawn(insideCommand([...argv, "--image", image]), {
      cwd: home,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const text = await new Response(child.stdout).text();
    if ((await child.exited) !== 0) throw new Error(`the measurement ended with status ${child.exitCode}`);
    return JSON.parse(text) as Row[];
  } finally {
    await registry.stop();
  }
}

async function main(argv: readonly string[]): Promise<number> {
  const request = readArguments(argv);
  if (request.help) {
    console.log(usage);
    return 0;
  }
  const unknown = request.cases.filter((name) => !(name in everyCase));
  if (unknown.length > 0)
    throw new Error(`no such case: ${unknown.join(", ")}; there are ${Object.keys(everyCase).join(", ")}`);
  if (!existsSync(join(home, request.program))) throw new Error(`${request.program} is not there: npm run build`);
  const rows = await measure(argv);
  const summaries = rows.map(summarize);
  console.log(request.json ? JSON.stringify(summaries, undefined, 2) : table(summaries));
  return 0;
}

process.exitCode = await main(process.argv.slice(2)).catch((failure: unknown) => {
  console.error(`bench: ${failure instanceof Error ? failure.message : failure}`);
  return 1;
});
