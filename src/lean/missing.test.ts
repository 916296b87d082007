import { expect, test } from "bun:test";
import { functions } from "./missing.ts";

test("the functions that the engine lacks do what the language says", () => {
  const list = [3, 1, 2];
  expect(functions.at.call(list, -1)).toBe(2);
  expect(functions.findLast.call(list, (one) => (one as number) > 1)).toBe(2);
  expect(functions.toSorted.call(list)).toEqual([1, 2, 3]);
  expect(functions.toReversed.call(list)).toEqual([2, 1, 3]);
  expect(list).toEqual([3, 1, 2]);
  expect([functions.hasOwn({ a: 1 }, "a"), functions.hasOwn({}, "toString")]).toEqual([true, false]);
});

test.each(["", "plain", "ünïcode", "\u{1f600}", "half \ud83d", "\ude00 first", "\ud83d\ud83d\ude00"])(
  "halves of surrogate pairs in %j are found and replaced as the language says",
  (text) => {
    expect(functions.isWellFormed.call(text)).toBe(text.isWellFormed());
    expect(functions.toWellFormed.call(text)).toBe(text.toWellFormed());
  },
);
