/** The loop of `npm run fuzz -- config`: a process of its own, which main.ts watches. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Finding, type Outcome, tryConfig } from "./config-target.ts";
import { configSamples } from "./corpus.ts";
import { RecipeReader } from "./driver.ts";
import { mutated, Parts, scratched } from "./mutate.ts";
import { Random } from "./random.ts";
import type { Json } from "./values.ts";

export interface ConfigLoop {
  readonly seed: number;
  /** Stops after this many. */
  readonly rounds: number;
  /** Stops at this time, in milliseconds as Date.now() has it. */
  readonly end: number;
  /** Where findings are put, and `current.json`, which is being tried. */
  readonly folder: string;
  readonly report: (line: string) => void;
}

export interface Tally {
  executions: number;
  compiled: number;
  readonly findings: Map<string, string>;
}

/** A configuration of a round; good ones among them become what later rounds change. */
class Inputs {
  readonly #corpus: Json[];
  readonly #parts: Parts;

  constructor(samples: readonly string[]) {
    this.#corpus = samples.flatMap((text) => parsed(text));
    this.#parts = new Parts(this.#corpus);
  }

  make(random: Random): string {
    const text = JSON.stringify(mutated(random.one(this.#corpus), this.#parts, random));
    return random.chance(0.05) ? scratched(text, random) : text;
  }

  /** Keeps a good one in the place of another, so that changes add up. */
  keep(text: string, random: Random): void {
    const [value] = parsed(text);
    if (value === undefined || text.length > 20_000) return;
    if (this.#corpus.length < 400) this.#corpus.push(value);
    else this.#corpus[100 + random.below(300)] = value;
  }
}

function parsed(text: string): Json[] {
  try {
    return [JSON.parse(text) as Json];
  } catch {
    return [];
  }
}

/** Changes configurations and tries each, until the end or for so many rounds. */
export async function fuzzConfigs({ seed, rounds, end, folder, report }: ConfigLoop): Promise<Tally> {
  const inputs = new Inputs(configSamples().map(({ text }) => text));
  const tally: Tally = { executions: 0, compiled: 0, findings: new Map() };
  await using reader = new RecipeReader();
  mkdirSync(folder, { recursive: true });
  for (let round = 0; round < rounds && Date.now() < end; round++) {
    const random = new Random(seed, round);
    const text = inputs.make(random);
    writeFileSync(join(folder, "current.json"), text);
    const failure = await tryWhole(text, random.below(24), reader, tally);
    if (failure === undefined) {
      if (random.chance(0.1)) inputs.keep(text, random);
    } else if (failure !== "") note(failure, text, { folder, report }, tally);
    if (round % 1000 === 0)
      report(`${tally.executions} executions, ${tally.compiled} compiled, ${tally.findings.size} findings`);
  }
  return tally;
}

/** Undefined for a good configuration, an empty text for one that was refused, or what went wrong. */
async function tryWhole(
  text: string,
  variant: number,
  reader: RecipeReader,
  tally: Tally,
): Promise<string | undefined> {
  tally.executions++;
  let outcome: Outcome;
  try {
    outcome = tryConfig(text, variant);
  } catch (failure) {
    if (failure instanceof Finding) return failure.message;
    throw failure;
  }
  if ("refused" in outcome) return "";
  tally.compiled++;
  const refused = await reader.tryRecipe(outcome.recipe);
  return refused === "" ? undefined : `the native program refuses what was compiled: ${refused}`;
}

/** Each kind once: numbers and quoted parts make no other kind. */
function note(
  failure: string,
  text: string,
  { folder, report }: Pick<ConfigLoop, "folder" | "report">,
  tally: Tally,
): void {
  const kind = failure
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\d+/g, "0")
    .slice(0, 200);
  if (tally.findings.has(kind)) return;
  const path = join(folder, `finding-${new Bun.CryptoHasher("sha256").update(kind).digest("hex").slice(0, 8)}.json`);
  tally.findings.set(kind, path);
  writeFileSync(path, text);
  report(`FINDING ${path}: ${failure}`);
}
