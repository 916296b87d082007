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
 * Puts verdicts over a background. Neighbours with equal verdicts become one. `background` begins at 0 and ascends; of several
 * entries with the same start the last counts. Numbers with a rule may lie anywhere.
 */
export function intervalsOf(byNumber: ReadonlyMap<number, Verdict>, background: Background): readonly Interval[] {
  const numbers = [...byNumber.keys()].sort((a, b) => a - b);
  const intervals: Interval[] = [];
  let next = 0;
  for (const number of numbers) {
    fill(intervals, background, next, number);
    append(intervals, number, byNumber.get(number) ?? 0);
    next = number + 1;
  }
  fill(intervals, background, next, 2 ** 32);
  return intervals;
}

function append(intervals: Interval[], start: number, verdict: Verdict): void {
  const last = intervals[intervals.length - 1];
  if (last === undefined || last.verdict !== verdict) intervals.push({ start, verdict });
}

/** The background from `next` up to `end`, which may be nothing. */
function fill(intervals: Interval[], background: Background, next: number, end: number): void {
  for (let index = 0; index < background.length && next < end; index += 1) {
    const until = Math.min(end, background[index + 1]?.start ?? 2 ** 32);
    if (until <= next) continue;
    append(intervals, next, background[index]?.verdict ?? 0);
    next = until;
  }
}
