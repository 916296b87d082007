import { describe, expect, test } from "bun:test";
import { difference } from "./schemata.ts";

const file = "    L3:0=fffff;1=7f0\n    MB:0=  30;1= 100\nL3CODE:0=1;1=1\n";
const rule = { granularity: 10 };

describe("a group is as wanted", () => {
  const same: readonly (readonly string[])[] = [
    [],
    ["L3:1=7f0;0=fffff"],
    ["L3:0=0FFFFF"],
    ["L3:01=0x7f0;"],
    ["MB:0=25;1=91"],
    [" MB : 0 = 30 ", "L3CODE:0=01"],
    ["L3:0=1", "L3:0=fffff"],
  ];
  for (const wanted of same) {
    test(JSON.stringify(wanted), () => expect(difference(wanted, file, rule)).toBeUndefined());
  }
});

describe("a group is otherwise", () => {
  const other: readonly (readonly [string, readonly string[]])[] = [
    ["L3:0=fffff0", ["L3:1=7f0;0=fffff0"]],
    ["L3:2=1", ["L3:2=1"]],
    ["L2:0=f", ["MB:0=30", "L2:0=f"]],
    ["MB:0=40", ["MB:0=31"]],
    ["L3:0=1", ["L3:0=fffff", "L3:0=1"]],
    ["L3DATA:0=1", ["L3DATA:0=1"]],
  ];
  for (const [expected, wanted] of other) {
    test(JSON.stringify(wanted), () => expect(difference(wanted, file, rule)).toBe(expected));
  }
});

test("with mba_MBps a bandwidth is what was written", () => {
  expect(difference(["MB:0=5001"], "MB:0=5001", { granularity: 1 })).toBeUndefined();
  expect(difference(["MB:0=5001"], "MB:0=5010", { granularity: 1 })).toBe("MB:0=5001");
});
