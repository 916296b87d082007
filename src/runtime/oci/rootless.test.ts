import { expect, test } from "bun:test";
import { isRootless } from "./rootless.ts";

test("--rootless takes what Go takes for a truth, and auto", () => {
  for (const word of ["true", "T", "1", "TRUE"]) expect(isRootless(word)).toBe(true);
  for (const word of ["false", "F", "0", "False"]) expect(isRootless(word)).toBe(false);
  expect(isRootless("AUTO")).toBe(isRootless(""));
  expect(() => isRootless("maybe")).toThrow('invalid value "maybe"');
});
