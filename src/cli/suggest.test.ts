import { expect, test } from "bun:test";
import { editDistance, nearest } from "./suggest.ts";

test("distance", () => {
  expect(editDistance("rnu", "run")).toBe(1);
  expect(editDistance("kitten", "sitting")).toBe(3);
  expect(editDistance("", "abc")).toBe(3);
});

test("only what is near is suggested", () => {
  expect(nearest("imagse", ["images", "inspect"])).toBe("images");
  expect(nearest("foo", ["images", "inspect"])).toBeUndefined();
});
