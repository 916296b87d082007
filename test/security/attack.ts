/**
 * Attacks as tests. A recipe is data: what a vulnerable runtime did is the real recipe with its safe steps replaced by naive ones, and
 * an attacker who wins a race is a step put in where the race is. So each attack is shown to work, and then not to.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Recipe, SectionName, Step } from "../../src/recipe/recipe.ts";
import { testWith } from "../harness/requirements.ts";
import { Scratch } from "../native/program.ts";
import { needs } from "../runtime/box.ts";

/** A test that needs root and a busybox. */
export const attack = (name: string, body: () => Promise<void>): void => testWith(needs, name, body);

/** A part of a section. */
export type Steps = readonly Step[];
type Change = (recipe: Recipe) => Recipe;

/** One change after the other. */
export function all(...changes: readonly Change[]): Change {
  return (recipe) => changes.reduce((changed, change) => change(changed), recipe);
}

/** Replaces each step for which there is another list, and fails where there is none: a weakening that weakens nothing proves nothing. */
export function replacing(section: SectionName, of: (one: Step) => Steps | undefined): Change {
  return (recipe) => {
    let replaced = 0;
    const steps = (recipe.sections[section] ?? []).flatMap((one): Steps => {
      const others = of(one);
      if (others !== undefined) replaced++;
      return others ?? [one];
    });
    if (replaced === 0) throw new Error(`no step of ${section} is replaced`);
    return { ...recipe, sections: { ...recipe.sections, [section]: steps } };
  };
}

/** Without the steps of these operations whose cause has this in it. */
export function without(section: SectionName, ops: readonly string[], cause = ""): Change {
  return replacing(section, (one) => (ops.includes(one.op) && one.cause.includes(cause) ? [] : undefined));
}

/** Steps put in before the first one that fits. */
export function before(section: SectionName, fits: (one: Step) => boolean, steps: Steps): Change {
  return (recipe) => {
    const first = recipe.sections[section]?.find(fits);
    return replacing(section, (one) => (one === first ? [...steps, one] : undefined))(recipe);
  };
}

/** Whether a step has this operation, and this in its cause. */
export const is =
  (op: string, cause = "") =>
  (one: Step): boolean =>
    one.op === op && one.cause.includes(cause);

/** A directory of the host that must stay as it is, with a file in it. */
export class Victim extends Scratch {
  constructor() {
    super();
    writeFileSync(this.at("file"), "untouched");
  }

  content(): string {
    return readFileSync(this.at("file"), "utf8");
  }

  isUntouched(): boolean {
    return existsSync(this.path) && readdirSync(this.path).join() === "file" && this.content() === "untouched";
  }
}
