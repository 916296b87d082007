/** Call numbers with one verdict each as few intervals: most filters decide the same for long runs of numbers. */
import type { Verdict } from "./verdicts.ts";

/** From `start` to the next interval's start. The first begins at 0, the last ends with 2^32 - 1. */
export interface Interval {
  readonly start: number;
  readonly verdict: Verdict;
}

/** What holds where no rule is, as intervals: the default's, and what lies above the known numbers. */
export type Background = readonly { readonly start: number; readonly verdict: number }[];

/**
 * Puts verdicts over a background. Neighbours with equal verdicts become one. `background` begins at 0 and ascends; numbers with a
 * rule may lie anywhere.
 */
export function intervalsOf(byNumber: ReadonlyMap<number, Verdict>, background: Background): readonly Interval[] {
  const intervals: Interval[] = [];
  const add = (start: number, verdict: Verdict): void => {
    const last = intervals.at(-1);
    if (last?.start === start) intervals.pop();
    if (intervals.at(-1)?.verdict !== verdict) intervals.push({ start, verdict });
  };
  const numbers = [...byNumber.keys()].sort((a, b) => a - b);
  let ground = 0;
  let next = 0;
  for (const number of numbers) {
    next = fillUpTo(number);
    add(number, byNumber.get(number) ?? 0);
    next = number + 1;
  }
  fillUpTo(2 ** 32);
  return intervals;

  function fillUpTo(end: number): number {
    while (next < end) {
      while ((background[ground + 1]?.start ?? 2 ** 32) <= next) ground += 1;
      add(next, background[ground]?.verdict ?? 0);
      next = Math.min(end, background[ground + 1]?.start ?? 2 ** 32);
    }
    return end;
  }
}
