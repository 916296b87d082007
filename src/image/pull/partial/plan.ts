import type { BlobPart } from "../../transports/transport.ts";
import type { Donors, Kept } from "./donors.ts";
import type { Frame } from "./frames.ts";

/** Bytes that follow one another in a blob and come from one place: another blob of the store, or the network. */
export interface Run extends BlobPart {
  /** Absent: they are to be fetched. */
  readonly kept?: { readonly donor: number; readonly start: number };
}

/** Bytes between two that are fetched which are fetched, too: to ask for a further part takes as many. */
const NEAR = 256;

/** Parts of one blob that are asked for; where it would be more, larger holes are fetched with them. */
const MOST_PARTS = 1024;

/** Which bytes of a blob come from where, in order. What is before `offset` is left out. */
export function planOf(frames: readonly Frame[], donors: Pick<Donors, "find">, offset: number): readonly Run[] {
  const trusted = alike(frames, donors);
  const runs = joined(frames.filter(({ end }) => end > offset).map((frame) => runOf(frame, donors, trusted, offset)));
  for (let near = NEAR; ; near *= 2) {
    const planned = joined(runs.map((run, index) => (isHole(runs, index, near) ? fetched(run) : run)));
    if (planned.filter(({ kept }) => kept === undefined).length <= MOST_PARTS) return planned;
  }
}

/**
 * Compressed as the new blob is: whatever they have in common has the same length in both. Of two compressors, or two levels of one, some
 * lengths would differ, and so would the bytes of frames that are as long by chance.
 */
function alike(frames: readonly Frame[], donors: Pick<Donors, "find">): (donor: number) => boolean {
  const others = new Set<number>();
  for (const { start, end, key } of frames) {
    for (let kept = donors.find(key); kept !== undefined; kept = kept.other) {
      if (kept.length !== end - start) others.add(kept.donor);
    }
  }
  return (donor) => !others.has(donor);
}

function runOf(
  { start, end, key }: Frame,
  donors: Pick<Donors, "find">,
  trusted: (donor: number) => boolean,
  offset: number,
): Run {
  let kept: Kept | undefined = donors.find(key);
  while (kept !== undefined && !trusted(kept.donor)) kept = kept.other;
  const from = Math.max(start, offset);
  if (kept === undefined) return { start: from, end };
  return { start: from, end, kept: { donor: kept.donor, start: kept.start + from - start } };
}

/** Runs that go on where the one before ended, in both places, are one. */
function joined(runs: readonly Run[]): readonly Run[] {
  const whole: Run[] = [];
  for (const run of runs) {
    const before = whole.at(-1);
    if (before !== undefined && continues(before, run)) whole[whole.length - 1] = { ...before, end: run.end };
    else whole.push(run);
  }
  return whole;
}

function continues({ start, end, kept }: Run, next: Run): boolean {
  if (kept === undefined || next.kept === undefined) return kept === next.kept;
  return kept.donor === next.kept.donor && kept.start + end - start === next.kept.start;
}

function isHole(runs: readonly Run[], index: number, near: number): boolean {
  const [before, run, after] = [runs[index - 1], runs[index], runs[index + 1]];
  if (run?.kept === undefined || before === undefined || after === undefined) return false;
  return run.end - run.start <= near && before.kept === undefined && after.kept === undefined;
}

function fetched({ start, end }: Run): Run {
  return { start, end };
}
