import { expect, test } from "bun:test";
import { type Condition, ruleConditions } from "./conditions.ts";
import { inOrder } from "./order.ts";

type Term = readonly [index: number, op: string, value: number | bigint, valueTwo?: number];

function conditions(terms: readonly Term[]): readonly Condition[] {
  const args = terms.map(([index, op, value, valueTwo = 0]) => ({ index, op: `SCMP_CMP_${op}`, value, valueTwo }));
  return ruleConditions(args, true, "")[0] ?? [];
}

/** The positions of the given rules in the order in which they are tried; each has an action of its own. */
function order(...rules: readonly (readonly Term[])[]): number[] {
  return inOrder(rules.map((terms, action) => ({ conditions: conditions(terms), action }))).map(({ action }) => action);
}

test("rules of one action are tried as they stand", () => {
  const branches = [1, 2].map((value) => ({ conditions: conditions([[0, "EQ", value]]), action: 5 }));
  expect(inOrder(branches)).toBe(branches);
});

test.each([
  ["later arguments first", [[[0, "EQ", 1]], [[2, "EQ", 1]], [[1, "EQ", 1]]], [1, 2, 0]],
  ["equality, then less, then greater", [[[0, "GT", 1]], [[0, "LE", 1]], [[0, "NE", 1]]], [2, 1, 0]],
  ["larger numbers first", [[[0, "EQ", 1]], [[0, "EQ", 2 ** 40]], [[0, "EQ", 7]]], [1, 2, 0]],
  ["of less, smaller numbers first", [[[0, "LT", 9]], [[0, "LE", 2]], [[0, "LT", 2 ** 40]]], [1, 0, 2]],
  ["of greater, larger numbers first", [[[0, "GE", 2]], [[0, "GT", 9]]], [1, 0]],
  [
    "the narrower rule first",
    [
      [[0, "EQ", 1]],
      [
        [0, "EQ", 1],
        [1, "EQ", 2],
      ],
    ],
    [1, 0],
  ],
  ["masks and plain comparisons as they stand", [[[0, "EQ", 1]], [[0, "MASKED_EQ", 1, 1]]], [0, 1]],
] as const)("%s", (...[, rules, expected]) => {
  expect(order(...rules)).toEqual([...expected]);
});
