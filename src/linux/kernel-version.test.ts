import { expect, test } from "bun:test";
import { kernelAtLeast, kernelVersion } from "./kernel-version.ts";

test("releases are read however they end", () => {
  expect(kernelVersion("6.12.4-arch1-1")).toEqual([6, 12]);
  expect(kernelVersion("5.10-rc3")).toEqual([5, 10]);
  expect(kernelVersion("7")).toEqual([7, 0]);
});

test("versions compare by number", () => {
  expect(kernelAtLeast(5, 9, "5.10.1")).toBe(true);
  expect(kernelAtLeast(5, 10, "5.9.1")).toBe(false);
  expect(kernelAtLeast(5, 14, "6.0.0")).toBe(true);
  expect(kernelAtLeast(6, 0, "5.19.0")).toBe(false);
  expect(kernelAtLeast(2, 6)).toBe(true);
});
