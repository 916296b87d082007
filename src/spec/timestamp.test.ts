import { expect, test } from "bun:test";
import { parseTimestamp } from "./timestamp.ts";

const now = Date.parse("2026-11-24T02:10:42Z");

test("moments", () => {
  expect(parseTimestamp("42m", now)).toBe(now / 1000 - 42 * 60);
  expect(parseTimestamp("1136073600.5", now)).toBe(1136073600.5);
  expect(parseTimestamp("2013-01-02T13:23:37Z", now)).toBe(1357133017);
  expect(parseTimestamp("2013-01-02T13:23:37.25+01:00", now)).toBe(1357129417.25);
  expect(parseTimestamp("2013-01-02", now)).toBe(Date.parse("2013-01-02T00:00:00") / 1000);
  expect(parseTimestamp("2013-01-02T13:23", now)).toBe(Date.parse("2013-01-02T13:23:00") / 1000);
});

for (const bad of ["", "x", "2013-13-45", "5 minutes"]) {
  test(`'${bad}' is none`, () =>
    expect(() => parseTimestamp(bad, now)).toThrow("failed to parse value as time or duration"));
}
