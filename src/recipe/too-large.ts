import { GalleyError } from "../errors.ts";
import type { SectionName, Step } from "./recipe.ts";

/** What the native program takes (native/recipe.h): steps of a section, and bytes of a recipe. */
export const STEP_LIMIT = 8192;
export const SIZE_LIMIT = 16 * 1024 * 1024;

/** Why a section cannot be run, with the configuration field that most of its steps come from. */
export function tooManySteps(name: SectionName, steps: readonly Step[]): GalleyError {
  const message = `takes too much: ${steps.length} steps ${name}, of at most ${STEP_LIMIT}`;
  return tooLarge(message, mostCommon(steps.map(({ cause }) => cause)));
}

/** Why a recipe of this size cannot be run, with the field that most of its strings and bytes come from. */
export function tooManyBytes(size: number, steps: readonly Step[]): GalleyError {
  const weighed = steps.toSorted((one, other) => weight(other) - weight(one));
  return tooLarge(`takes too much: ${size} bytes, of at most ${SIZE_LIMIT}`, fieldOf(weighed[0]?.cause ?? ""));
}

function tooLarge(message: string, subject: string): GalleyError {
  return new GalleyError("resource_exhausted", message, { subject, hint: "ask for less of it" });
}

function weight({ args }: Step): number {
  const sizes = args.map((arg) => (typeof arg === "string" || arg instanceof Uint8Array ? arg.length : 0));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** `mounts` of `mounts[3] (tmpfs on /dev/shm)`. */
function fieldOf(cause: string): string {
  return cause.split(/[[ :]/, 1)[0] ?? cause;
}

function mostCommon(causes: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const cause of causes) counts.set(fieldOf(cause), (counts.get(fieldOf(cause)) ?? 0) + 1);
  return [...counts].reduce((most, one) => (one[1] > most[1] ? one : most), ["", 0])[0];
}
