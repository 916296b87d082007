/** `npm run fuzz -- recipe`: changed recipes for the native program's reader and for the decoder in TypeScript. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GalleyError } from "../../src/errors.ts";
import { decode } from "../../src/recipe/decode.ts";
import { describeStep } from "../../src/recipe/describe.ts";
import { recipeSamples, type Sample } from "./corpus.ts";
import { recipeDriver } from "./driver.ts";
import { Random } from "./random.ts";

/** Milliseconds in which a recipe must have been read. */
const PATIENCE = 10_000;
/** Bytes of the driver's `struct current` before the recipe itself. */
const CURRENT_HEADER = 16;

export interface RecipeLoop {
  readonly seed: number;
  readonly seconds: number;
  /** Where recipes that take new ways are put, and `current`, which is being tried. */
  readonly folder: string;
  readonly report: (line: string) => void;
}

/** What the driver says of itself in the file that it shares. */
function progress(path: string): { readonly executions: number; readonly kept: number; readonly input: Uint8Array } {
  const bytes = readFileSync(path);
  if (bytes.length < CURRENT_HEADER) return { executions: 0, kept: 0, input: new Uint8Array() };
  const size = bytes.readUInt32LE(12);
  return {
    executions: Number(bytes.readBigUInt64LE(0)),
    kept: bytes.readUInt32LE(8),
    input: bytes.subarray(CURRENT_HEADER, CURRENT_HEADER + size),
  };
}

/** Runs the driver for so long; a text that says what went wrong, if it did. The recipe it happened on is in `finding.recipe`. */
export async function fuzzReader({ seed, seconds, folder, report }: RecipeLoop): Promise<string | undefined> {
  const [current, found] = [join(folder, "current"), join(folder, "found")];
  mkdirSync(found, { recursive: true });
  const corpus = recipeSamples().map((sample) => written(sample, folder));
  const child = Bun.spawn([recipeDriver(), "fuzz", String(seed), String(seconds), current, found, ...corpus], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  let [hung, before] = [false, -1];
  const timer = setInterval(() => {
    if (!existsSync(current)) return;
    const { executions, kept } = progress(current);
    report(`${executions} executions, ${kept} kept`);
    hung ||= executions === before && executions > 0;
    if (hung) child.kill("SIGKILL");
    before = executions;
  }, PATIENCE);
  const status = await child.exited;
  clearInterval(timer);
  const { executions, kept, input } = progress(current);
  report(`${executions} executions, ${kept} kept`);
  if (status === 0) return undefined;
  writeFileSync(join(folder, "finding.recipe"), input);
  return hung ? "a recipe is read without end" : `the native program's reader ended with status ${status}`;
}

function written({ name, bytes }: Sample, folder: string): string {
  mkdirSync(join(folder, "corpus"), { recursive: true });
  const path = join(folder, "corpus", name);
  rmSync(path, { force: true });
  writeFileSync(path, bytes);
  return path;
}

/** Changes recipes for the decoder in TypeScript for so long; what went wrong, if it did. */
export function fuzzDecoder({ seed, seconds, folder, report }: RecipeLoop): string | undefined {
  const samples = recipeSamples();
  const end = Date.now() + seconds * 1000;
  let round = 0;
  for (; Date.now() < end; round++) {
    const random = new Random(seed, round);
    const recipe = changed(random.one(samples).bytes, random);
    const failure = decodeFailure(recipe);
    if (failure === undefined) continue;
    writeFileSync(join(folder, "finding.recipe"), recipe);
    return failure;
  }
  report(`${round} executions of the decoder in TypeScript`);
  return undefined;
}

/** What a decoder must not do with a recipe, if it does. */
export function decodeFailure(recipe: Uint8Array): string | undefined {
  const began = performance.now();
  try {
    for (const steps of Object.values(decode(recipe).sections)) for (const one of steps) describeStep(one);
  } catch (failure) {
    if (!(failure instanceof GalleyError)) return `not an error of ours: ${(failure as Error).stack}`;
  }
  return performance.now() - began > PATIENCE ? "a recipe is decoded for seconds" : undefined;
}

const telling = [0, 1, 7, 255, 0xfffd, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff8] as const;

function changed(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (let count = 1 + random.below(4); count > 0; count--) {
    const end = random.chance(0.3) ? 256 : copy.length;
    const at = random.below(Math.max(1, end - 4));
    if (random.chance(0.5)) copy[at] = random.below(256);
    else view.setUint32(at & ~3, random.one(telling), true);
  }
  if (random.chance(0.9)) view.setUint32(8, copy.length, true);
  return random.chance(0.1) ? copy.slice(0, random.below(copy.length)) : copy;
}
