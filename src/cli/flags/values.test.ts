import { expect, test } from "bun:test";
import { parseInteger, parseSize } from "./values.ts";

test("sizes", () => {
  expect(["1", "1b", "1k", "1KB", "1KiB", "1.5g", "1 m", ".5k", "0"].map(parseSize)).toEqual([
    1,
    1,
    1024,
    1024,
    1024,
    1.5 * 2 ** 30,
    2 ** 20,
    512,
    0,
  ]);
  for (const bad of ["", "k", "1.2.3", "-1", "1kk", "1e3", " 1", "99999999999p"])
    expect(() => parseSize(bad)).toThrow();
});

test("whole numbers", () => {
  expect(["0", "-5", "+7", "0x10", "010", "-0"].map(parseInteger)).toEqual([0, -5, 7, 16, 8, 0]);
  for (const bad of ["", "1.5", "a", "1e3", "09", "9007199254740993"]) expect(() => parseInteger(bad)).toThrow();
});
