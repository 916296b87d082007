import { expect, test } from "bun:test";
import { parseDuration } from "./duration.ts";

test("durations", () => {
  expect(["1s", "1m30s", "1.5h", "-2ms", "0", "3us", "1h2m3s4ms"].map(parseDuration)).toEqual([
    1e9, 90e9, 5400e9, -2e6, 0, 3e3, 3723.004e9,
  ]);
  for (const bad of ["", "5", "s", "1x", "1s x"]) expect(() => parseDuration(bad)).toThrow();
});
