/**
 * Fuzzing: `npm run fuzz -- config|recipe [--minutes N] [--seed S]`. The exit status is 0 where nothing was found. docs/security.md
 * says what must hold; what is found joins test/fuzz/corpus, which the tests replay.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fuzzConfigs } from "./config-fuzz.ts";
import { fuzzDecoder, fuzzReader } from "./recipe-fuzz.ts";

const home = join(import.meta.dir, "../..");
/** Milliseconds without a word from the loop, which says one every thousand configurations. */
const PATIENCE = 120_000;
/** Bytes that the loop may take. */
const MEMORY = 2 * 2 ** 30;

const { positionals, values } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: { minutes: { type: "string", default: "1" }, seed: { type: "string" }, worker: { type: "boolean" } },
});
const target = positionals[0];
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const seconds = Number(values.minutes) * 60;
const folder = join(home, "build/fuzz", String(target));
const report = (line: string): void => console.log(`${new Date().toISOString()} ${target} ${line}`);

/** The loop itself, in the process that is watched. */
async function work(): Promise<number> {
  const end = Date.now() + seconds * 1000;
  const { executions, compiled, findings } = await fuzzConfigs({
    seed,
    rounds: Number.POSITIVE_INFINITY,
    end,
    folder,
    report,
  });
  report(`done: ${executions} executions, ${compiled} compiled, ${findings.size} findings`);
  return findings.size === 0 ? 0 : 1;
}

function memoryOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * 4096;
  } catch {
    return 0; // it has ended
  }
}

/** Ends the loop where it hangs or takes too much memory; the configuration it was at stays in current.json. */
async function watchConfigs(): Promise<number> {
  const child = Bun.spawn(
    [
      process.execPath,
      import.meta.path,
      "config",
      "--worker",
      "--minutes",
      String(values.minutes),
      "--seed",
      String(seed),
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let heard = Date.now();
  let why: string | undefined;
  const timer = setInterval(() => {
    if (Date.now() - heard > PATIENCE) why = "it hangs";
    if (memoryOf(child.pid) > MEMORY) why = "it takes too much memory";
    if (why !== undefined) child.kill("SIGKILL");
  }, 1000);
  for await (const line of child.stdout) {
    heard = Date.now();
    process.stdout.write(line);
  }
  const status = await child.exited;
  clearInterval(timer);
  if (why !== undefined) report(`FINDING ${join(folder, "current.json")}: ${why}`);
  return status;
}

/** Nine tenths of the time for the native program's reader. */
async function fuzzRecipes(): Promise<number> {
  const failure =
    (await fuzzReader({ seed, seconds: Math.ceil(seconds * 0.9), folder, report })) ??
    fuzzDecoder({ seed, seconds: seconds * 0.1, folder, report });
  report(failure === undefined ? "done: no findings" : `FINDING ${join(folder, "finding.recipe")}: ${failure}`);
  return failure === undefined ? 0 : 1;
}

if (target === "config") {
  report(`seed ${seed}, ${values.minutes} minutes`);
  process.exitCode = await (values.worker === true ? work() : watchConfigs());
} else if (target === "recipe") {
  report(`seed ${seed}, ${values.minutes} minutes`);
  process.exitCode = await fuzzRecipes();
} else {
  console.error("usage: npm run fuzz -- config|recipe [--minutes N] [--seed S]");
  process.exitCode = 2;
}
