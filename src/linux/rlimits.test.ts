import { expect, test } from "bun:test";
import { parseUlimit, RLIM_INFINITY, rlimitNumber, rlimits, rlimitType, rlimitValue } from "./rlimits.ts";

test("types and numbers translate both ways", () => {
  expect(rlimitNumber("RLIMIT_NOFILE")).toBe(7);
  expect(rlimitNumber("rttime")).toBe(15);
  expect(rlimitNumber("RLIMIT_CONSTRUCTOR")).toBeUndefined();
  for (const number of Object.values(rlimits)) expect(rlimitNumber(rlimitType(number) ?? "")).toBe(number);
  expect(rlimitType(16)).toBeUndefined();
});

test("unlimited is 2^64 - 1, however it was written", () => {
  expect(rlimitValue(-1)).toBe(RLIM_INFINITY);
  expect(rlimitValue(JSON.parse("18446744073709551615") as number)).toBe(RLIM_INFINITY);
  expect(rlimitValue(1024)).toBe(1024n);
  expect(rlimitValue(0)).toBe(0n);
});

test.each([
  ["nofile=1024:2048", { name: "nofile", soft: 1024, hard: 2048 }],
  ["nofile=1024", { name: "nofile", soft: 1024, hard: 1024 }],
  ["core=0", { name: "core", soft: 0, hard: 0 }],
  ["memlock=-1:-1", { name: "memlock", soft: -1, hard: -1 }],
  ["stack=8192:infinity", { name: "stack", soft: 8192, hard: -1 }],
] as const)("--ulimit %s", (text, ulimit) => {
  expect(parseUlimit(text)).toEqual(ulimit);
});

test.each([
  ["nofile", "invalid ulimit argument: nofile"],
  ["as=1", "invalid ulimit type: as"],
  ["files=1", "invalid ulimit type: files"],
  ["nofile=1:2:3", "too many limit value arguments"],
  ["nofile=2048:1024", "2048 > 1024"],
  ["nofile=-1:1024", "soft: -1 (unlimited), hard: 1024"],
  ["nofile=", "invalid limit value: "],
  ["nofile=1:", "invalid limit value: "],
  ["nofile=1k", "invalid limit value: 1k"],
  ["nofile=-2", "only -1 (unlimited) is negative"],
])("--ulimit %s is refused", (text, message) => {
  expect(() => parseUlimit(text)).toThrow(message);
});
