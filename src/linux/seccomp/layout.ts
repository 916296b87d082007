/** The decision tree of a filter as instructions. */
import { Assembler, bpf } from "./assembler.ts";
import type { Condition } from "./conditions.ts";
import type { Interval } from "./intervals.ts";
import type { Branch, Verdict } from "./verdicts.ts";

/** Offsets in struct seccomp_data (uapi/linux/seccomp.h). */
const NUMBER = 0;
const ARCH = 4;
const ARGS = 16;

export interface Section {
  readonly audit: number;
  readonly intervals: readonly Interval[];
  readonly defaultAction: number;
}

/**
 * A program that finds the section of the caller's architecture, then, by halving, the interval of the call's number. With some 60
 * intervals that is ten instructions for any call. Callers of another architecture get `otherwise`.
 */
export function layOut(sections: readonly Section[], otherwise: number): Uint8Array {
  const program = new Assembler();
  let next = program.returns(otherwise);
  for (const section of [...sections].reverse()) {
    const entry = tree(program, section, 0, section.intervals.length);
    const start = loadBefore(program, NUMBER, entry);
    next = program.branch(bpf.jumpEqual, section.audit, start, next);
  }
  loadBefore(program, ARCH, next);
  return program.finish();
}

/** Loads a word for the comparison at `position`; what was decided without a comparison stands elsewhere and needs no word. */
function loadBefore(program: Assembler, offset: number, position: number): number {
  return position === program.length ? program.put(bpf.load, offset) : position;
}

function tree(program: Assembler, section: Section, from: number, to: number): number {
  if (to - from === 1)
    return leaf(program, section.intervals[from]?.verdict ?? section.defaultAction, section.defaultAction);
  const middle = (from + to) >> 1;
  const right = tree(program, section, middle, to);
  const left = tree(program, section, from, middle);
  return program.branch(bpf.jumpGreaterOrEqual, section.intervals[middle]?.start ?? 0, right, left);
}

function leaf(program: Assembler, verdict: Verdict, defaultAction: number): number {
  return typeof verdict === "number" ? program.returns(verdict) : branches(program, verdict, defaultAction);
}

function branches(program: Assembler, list: readonly Branch[], defaultAction: number): number {
  let otherwise = program.returns(defaultAction);
  for (const { conditions, action } of [...list].reverse()) {
    let pass = program.returns(action);
    for (const condition of [...conditions].reverse()) pass = check(program, condition, pass, otherwise);
    otherwise = pass;
  }
  return otherwise;
}

/** Goes to `pass` where the condition holds. "Not equal", "less" and "less or equal" are their opposites with exchanged targets. */
function check(program: Assembler, condition: Condition, pass: number, fail: number): number {
  switch (condition.op) {
    case "eq":
      return checkEqual(program, condition, pass, fail);
    case "ne":
      return checkEqual(program, condition, fail, pass);
    case "gt":
      return checkGreater(program, condition, bpf.jumpGreater, pass, fail);
    case "ge":
      return checkGreater(program, condition, bpf.jumpGreaterOrEqual, pass, fail);
    case "lt":
      return checkGreater(program, condition, bpf.jumpGreaterOrEqual, fail, pass);
    case "le":
      return checkGreater(program, condition, bpf.jumpGreater, fail, pass);
    case "masked":
      return checkMasked(program, condition, pass, fail);
  }
}

function checkEqual(program: Assembler, one: Condition, pass: number, fail: number): number {
  const low = loadBefore(program, lowWord(one), program.branch(bpf.jumpEqual, one.low, pass, fail));
  if (!one.wide) return low;
  return loadBefore(program, highWord(one), program.branch(bpf.jumpEqual, one.high, low, fail));
}

/** The upper words decide unless they are equal. */
function checkGreater(program: Assembler, one: Condition, comparison: number, pass: number, fail: number): number {
  const low = loadBefore(program, lowWord(one), program.branch(comparison, one.low, pass, fail));
  if (!one.wide) return low;
  const equal = program.branch(bpf.jumpEqual, one.high, low, fail);
  return loadBefore(program, highWord(one), program.branch(bpf.jumpGreater, one.high, pass, equal));
}

function checkMasked(program: Assembler, one: Condition, pass: number, fail: number): number {
  const low = one.maskLow === 0 ? pass : maskedWord(program, lowWord(one), one.maskLow, one.low, pass, fail);
  return one.maskHigh === 0 ? low : maskedWord(program, highWord(one), one.maskHigh, one.high, low, fail);
}

function maskedWord(
  program: Assembler,
  offset: number,
  mask: number,
  value: number,
  pass: number,
  fail: number,
): number {
  const compare = program.branch(bpf.jumpEqual, value, pass, fail);
  if (compare !== program.length) return compare;
  if (mask !== 0xffff_ffff) program.put(bpf.and, mask);
  return program.put(bpf.load, offset);
}

function lowWord({ arg }: Condition): number {
  return ARGS + arg * 8;
}

function highWord({ arg }: Condition): number {
  return ARGS + arg * 8 + 4;
}
