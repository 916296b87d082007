import { describe, expect, test } from "bun:test";
import { FrameIndex } from "./frame-index.ts";
import type { Frame } from "./frame-list.ts";
import { planOf } from "./plan.ts";

/** Frames of these lengths, one behind the other; keys are letters. */
function frames(text: string, length = 1000): readonly Frame[] {
  return [...text].map((key, index) => ({ key: key.charCodeAt(0), start: index * length, end: (index + 1) * length }));
}

/** Blobs of frames that are all of one length. */
function donors(...blobs: readonly (readonly [text: string, length: number])[]) {
  const index = new FrameIndex();
  for (const [donor, [text, length]] of blobs.entries()) index.add(donor, frames(text, length));
  return index;
}

const short = (runs: ReturnType<typeof planOf>) =>
  runs.map(
    ({ start, end, kept }) => `${start}-${end}${kept === undefined ? "" : ` of ${kept.donor} at ${kept.start}`}`,
  );

describe("a plan", () => {
  test("takes from other blobs what they have, in one piece where it lies in one", () => {
    expect(short(planOf(frames("abXcd"), donors(["abcd", 1000]), 0))).toEqual([
      "0-2000 of 0 at 0",
      "2000-3000",
      "3000-5000 of 0 at 2000",
    ]);
  });

  test("begins where an earlier pull stopped, in the midst of a frame too", () => {
    const planned = planOf(frames("abXcd"), donors(["abcd", 1000]), 1500);
    expect(short(planned)).toEqual(["1500-2000 of 0 at 1500", "2000-3000", "3000-5000 of 0 at 2000"]);
  });

  test("takes nothing of a blob in which something is as long as it should not be", () => {
    expect(short(planOf(frames("abcd"), donors(["ab", 999], ["cd", 1000]), 0))).toEqual([
      "0-2000",
      "2000-4000 of 1 at 0",
    ]);
    expect(short(planOf(frames("ab"), donors(["ab", 1000], ["a", 999]), 0))).toEqual(["0-2000 of 0 at 0"]);
  });

  test("fetches what is small between two that are fetched", () => {
    expect(short(planOf(frames("XaYb", 100), donors(["ab", 100]), 0))).toEqual(["0-300", "300-400 of 0 at 100"]);
    expect(planOf(frames("XaY", 300), donors(["a", 300]), 0)).toHaveLength(3);
    const two = donors(["a", 100], ["b", 100]);
    expect(short(planOf(frames("aXabYbb", 100), two, 0))).toEqual([
      "0-100 of 0 at 0",
      "100-500",
      "500-600 of 1 at 0",
      "600-700 of 1 at 0",
    ]);
    expect(planOf(frames("XababY", 100), two, 0)).toHaveLength(6);
  });

  test("asks for no more than 4096 parts", () => {
    for (const keys of ["aX", "abX"]) {
      const mixed = frames(keys.repeat(5000), 300);
      const planned = planOf(mixed, donors(["a", 300], ["b", 300]), 0);
      expect(planned.filter(({ kept }) => kept === undefined).length).toBeLessThanOrEqual(4096);
      expect(planned.at(-1)?.end).toBe(mixed.at(-1)?.end);
    }
  });
});
