import type { BlobPart } from "../../transports/transport.ts";
import type { FrameIndex } from "./frame-index.ts";
import type { Frame } from "./frame-list.ts";

/** Bytes that follow one another in a blob and come from one place: another blob of the store, or the network. */
export interface Run extends BlobPart {
  /** Absent: they are to be fetched. */
  readonly kept?: { readonly donor: number; readonly start: number };
}

/** Bytes between two that are fetched which are fetched, too: to ask for a further part takes as many. */
const NEAR = 256;

/** Parts of one blob that are asked for; where it would be more, larger holes are fetched with them. */
const MOST_PARTS = 4096;

/** Which bytes of a blob come from where, in order. What is before `offset` is left out. */
export function planOf(frames: Iterable<Frame>, donors: FrameIndex, offset: number): readonly Run[] {
  const others = compressedOtherwise(frames, donors);
  const runs = joined(runsOf(frames, donors, others, offset));
  for (let near = NEAR; ; near *= 2) {
    const planned = joined(withoutHoles(runs, near));
    if (planned.filter(({ kept }) => kept === undefined).length <= MOST_PARTS) return planned;
  }
}

/**
 * Blobs that were not compressed as the new one is: something that they have in common has another length. Of two compressors, or two levels of
 * one, some lengths differ, and so would the bytes of frames that are as long by chance.
 */
function compressedOtherwise(frames: Iterable<Frame>, donors: FrameIndex): ReadonlySet<number> {
  const others = new Set<number>();
  for (const { start, end, key } of frames) {
    for (let kept = donors.find(key); kept >= 0; kept = donors.other(kept)) {
      if (donors.place(kept).length !== end - start) others.add(donors.donor(kept));
    }
  }
  return others;
}

function* runsOf(
  frames: Iterable<Frame>,
  donors: FrameIndex,
  others: ReadonlySet<number>,
  offset: number,
): Generator<Run> {
  for (const { start, end, key } of frames) {
    if (end <= offset) continue;
    const from = Math.max(start, offset);
    let kept = donors.find(key);
    while (kept >= 0 && others.has(donors.donor(kept))) kept = donors.other(kept);
    if (kept < 0) yield { start: from, end };
    else
      yield { start: from, end, kept: { donor: donors.donor(kept), start: donors.place(kept).start + from - start } };
  }
}

/** Runs that go on where the one before ended, in both places, are one. */
function joined(runs: Iterable<Run>): readonly Run[] {
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

/** What is kept between two that are fetched, from however many places it comes, is fetched with them where it is small. */
function withoutHoles(runs: readonly Run[], near: number): readonly Run[] {
  const planned: Run[] = [];
  let open: number | undefined;
  for (const run of runs) {
    if (run.kept === undefined) {
      const first = planned[open ?? planned.length];
      if (first !== undefined && open !== undefined && run.start - first.start <= near) {
        planned.splice(open, planned.length, { start: first.start, end: run.start });
      }
      open = planned.length + 1;
    }
    planned.push(run);
  }
  return planned;
}
