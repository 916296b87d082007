import { expect, test } from "bun:test";
import { parseChunkRange, parseRange } from "./byte-range.ts";

test.each([
  [null, undefined],
  ["bytes=0-0", { first: 0, last: 0 }],
  ["bytes=5-", { first: 5, last: 9 }],
  ["bytes=5-500", { first: 5, last: 9 }],
  ["bytes=-3", { first: 7, last: 9 }],
  ["bytes=-30", { first: 0, last: 9 }],
  ["bytes=10-", "unsatisfiable"],
  ["bytes=-0", "unsatisfiable"],
  ["bytes=4-3", undefined],
  ["bytes=1-2,4-5", undefined],
  ["bytes=-", undefined],
  ["lines=1-2", undefined],
] as const)("of ten bytes, %p asks for %p", (header, range) => {
  expect(parseRange(header, 10)).toEqual(range);
});

test("of nothing, any range is too much", () => {
  expect(parseRange("bytes=0-", 0)).toBe("unsatisfiable");
});

test("a pushed chunk says where it belongs", () => {
  expect(parseChunkRange("0-99")).toEqual({ first: 0, last: 99 });
  expect(parseChunkRange("bytes 100-199/*")).toEqual({ first: 100, last: 199 });
  expect(parseChunkRange("100")).toBeUndefined();
  expect(parseChunkRange("a-b")).toBeUndefined();
});
