import { expect, test } from "bun:test";
import { formatG } from "./number.ts";
import { ago, binarySize, humanDuration, humanSize } from "./units.ts";

test("sizes have the digits that docker gives them", () => {
  expect([0, 5, 999, 1982357, 447e6, 1.5e12].map((bytes) => humanSize(bytes, 3))).toEqual([
    "0B",
    "5B",
    "999B",
    "1.98MB",
    "447MB",
    "1.5TB",
  ]);
  expect(humanSize(1982357)).toBe("1.982MB");
  expect(humanSize(999_950, 3)).toBe("1e+03kB");
  expect(binarySize(23.54 * 2 ** 30)).toBe("23.54GiB");
});

test("numbers of %g", () => {
  expect([1e-5, 0.0001, 100, 123456, 1e21].map((value) => formatG(value, 4))).toEqual([
    "1e-05",
    "0.0001",
    "100",
    "1.235e+05",
    "1e+21",
  ]);
});

const hour = 3600;
const durations: readonly (readonly [number, string])[] = [
  [0.9, "Less than a second"],
  [1.5, "1 second"],
  [59, "59 seconds"],
  [60, "About a minute"],
  [119, "About a minute"],
  [120, "2 minutes"],
  [45 * 60, "45 minutes"],
  [hour, "About an hour"],
  [1.5 * hour, "2 hours"],
  [47 * hour, "47 hours"],
  [48 * hour, "2 days"],
  [13 * 24 * hour, "13 days"],
  [14 * 24 * hour, "2 weeks"],
  [60 * 24 * hour, "2 months"],
  [365 * 24 * hour, "12 months"],
  [2 * 365 * 24 * hour, "2 years"],
];

for (const [seconds, words] of durations) {
  test(`${seconds} seconds are ${words}`, () => expect(humanDuration(seconds)).toBe(words));
}

test("ago", () => {
  expect(ago("2026-01-01T00:00:00.5Z", Date.parse("2026-01-01T00:03:01Z"))).toBe("3 minutes ago");
});
