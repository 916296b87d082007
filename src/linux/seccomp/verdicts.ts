/** From the rules of a configuration to one verdict per call number of a machine, with libseccomp's reading of several rules. */
import { GalleyError } from "../../errors.ts";
import type { SeccompConfig, SeccompRule } from "../../spec/runtime.ts";
import { actionValue } from "./actions.ts";
import type { Architecture } from "./architectures.ts";
import { type Condition, ruleConditions } from "./conditions.ts";
import { behindMultiplexer, type Multiplexed, multiplexed } from "./multiplex.ts";
import { syscallNumbers } from "./numbers.ts";
import { inOrder } from "./order.ts";

/** Conditions that lead to an action. */
export interface Branch {
  readonly conditions: readonly Condition[];
  readonly action: number;
}

/** A value to return whatever the arguments, or branches of which the first that holds decides, else the default. */
export type Verdict = number | readonly Branch[];

export interface MachineVerdicts {
  readonly byNumber: ReadonlyMap<number, Verdict>;
  /** The highest number that the rules name at all: higher ones are calls that the profile's author did not know. */
  readonly highest: number;
}

/**
 * The verdicts of one machine. Names that it does not have are passed over. A rule without conditions decides alone, the first such;
 * one whose action is the default's is left out. Throws `invalid_argument` for conditions that lead to two different actions.
 */
export function machineVerdicts(
  config: SeccompConfig,
  architecture: Architecture,
  defaultAction: number,
): MachineVerdicts {
  const builder = new Builder(architecture);
  (config.syscalls ?? []).forEach((rule, index) => {
    builder.rule(rule, `linux.seccomp.syscalls[${index}]`, defaultAction);
  });
  return builder.finish();
}

type Alternatives = readonly (readonly Condition[])[];

class Builder {
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #byNumber = new Map<number, number | Branch[]>();
  #highest = -1;

  constructor(private readonly architecture: Architecture) {
    this.#numbers = syscallNumbers(architecture.machine);
  }

  rule(rule: SeccompRule, field: string, defaultAction: number): void {
    const action = actionValue(rule.action, rule.errnoRet, `${field}.action`);
    const alternatives = ruleConditions(rule.args ?? [], this.architecture.wide, field);
    for (const name of rule.names) {
      const number = this.#numbers.get(name);
      const through = this.architecture.machine === "x86" ? multiplexed(name) : undefined;
      if (number !== undefined && through === undefined && number > this.#highest) this.#highest = number;
      if (action === defaultAction) continue;
      if (number !== undefined) this.#direct(number, alternatives, action, field);
      if (through !== undefined) this.#multiplexed(through, alternatives, action, field);
    }
  }

  #direct(number: number, alternatives: Alternatives, action: number, field: string): void {
    for (const conditions of alternatives) this.#add(number, { conditions, action }, field);
  }

  #multiplexed({ through, call }: Multiplexed, alternatives: Alternatives, action: number, field: string): void {
    const number = this.#numbers.get(through);
    if (number === undefined) return;
    for (const one of alternatives) this.#add(number, { conditions: behindMultiplexer(one, call), action }, field);
  }

  #add(number: number, branch: Branch, field: string): void {
    const known = this.#byNumber.get(number);
    if (typeof known === "number") return;
    if (branch.conditions.length === 0) this.#byNumber.set(number, branch.action);
    else if (known === undefined) this.#byNumber.set(number, [branch]);
    else addBranch(known, branch, field);
  }

  finish(): MachineVerdicts {
    const byNumber = new Map<number, Verdict>();
    for (const [number, verdict] of this.#byNumber) {
      byNumber.set(number, typeof verdict === "number" ? verdict : inOrder(verdict));
    }
    return { byNumber, highest: this.#highest };
  }
}

/**
 * On a narrow machine two conditions that differ in their upper halves become the same: there the first one counts. Elsewhere one
 * of the two rules could never have a say, which is a mistake.
 */
function addBranch(branches: Branch[], branch: Branch, field: string): void {
  const contradicts = branches.some(
    (one) => one.action !== branch.action && areEqual(one.conditions, branch.conditions),
  );
  if (!contradicts) branches.push(branch);
  else if (branch.conditions.every(({ wide }) => wide)) {
    throw new GalleyError("invalid_argument", "an earlier rule has another action for the same call and arguments", {
      subject: field,
      hint: "remove one of the two rules",
    });
  }
}

function areEqual(some: readonly Condition[], others: readonly Condition[]): boolean {
  return some.length === others.length && JSON.stringify(some) === JSON.stringify(others);
}
