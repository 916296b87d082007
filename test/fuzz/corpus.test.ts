/** The corpus and a short run of each fuzzer; `npm run fuzz` goes on for as long as it is told. */
import { afterAll, expect, test } from "bun:test";
import { Scratch } from "../native/program.ts";
import { fuzzConfigs } from "./config-fuzz.ts";
import { tryConfig } from "./config-target.ts";
import { configSamples, recipeSamples } from "./corpus.ts";
import { RecipeReader } from "./driver.ts";
import { decodeFailure, fuzzReader } from "./recipe-fuzz.ts";

const folder = new Scratch();
afterAll(() => folder[Symbol.dispose]());
const silent = (): void => {};

test("each configuration of the corpus is refused with a field, or its recipe is taken", async () => {
  await using reader = new RecipeReader();
  let compiled = 0;
  for (const { name, text } of configSamples()) {
    for (let variant = 0; variant < 24; variant++) {
      const outcome = tryConfig(text, variant);
      if ("refused" in outcome) continue;
      compiled++;
      expect(`${name}: ${await reader.tryRecipe(outcome.recipe)}`).toBe(`${name}: `);
    }
  }
  expect(compiled).toBeGreaterThan(50);
}, 60_000);

test("each recipe of the corpus is read without harm, here and by the native program", async () => {
  await using reader = new RecipeReader();
  const samples = recipeSamples();
  for (const { bytes } of samples) {
    await reader.tryRecipe(bytes);
    expect(decodeFailure(bytes)).toBeUndefined();
  }
  expect(await reader.tryRecipe(new Uint8Array(300))).toBe("not a recipe");
  expect(samples.length).toBeGreaterThan(10);
}, 60_000);

test("a short run of changed configurations finds nothing", async () => {
  const run = {
    seed: 20261128,
    rounds: 400,
    end: Number.POSITIVE_INFINITY,
    folder: folder.at("config"),
    report: silent,
  };
  const { executions, compiled, findings } = await fuzzConfigs(run);
  expect([...findings.keys()]).toEqual([]);
  expect(executions).toBe(400);
  expect(compiled).toBeGreaterThan(0);
}, 60_000);

test("a short run of changed recipes finds nothing", async () => {
  const said: string[] = [];
  const report = (line: string): void => void said.push(line);
  expect(await fuzzReader({ seed: 20261128, seconds: 2, folder: folder.at("recipe"), report })).toBeUndefined();
  expect(Number(said.at(-1)?.split(" ")[0])).toBeGreaterThan(256);
}, 60_000);
