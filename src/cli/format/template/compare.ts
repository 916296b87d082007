import { Nil, typeName, type Value } from "./values.ts";

/** eq ne lt le gt ge, on numbers, text and truth values; unlike kinds cannot be compared. */
export const compareFunctions: Readonly<Record<string, (...args: readonly Value[]) => Value>> = {
  eq: (first, ...others) => {
    if (others.length === 0) throw new Error("missing argument for comparison");
    return others.some((other) => equal(first, other));
  },
  ne: (a, b) => !equal(a, b),
  lt: (a, b) => order(a, b) < 0,
  le: (a, b) => order(a, b) <= 0,
  gt: (a, b) => order(a, b) > 0,
  ge: (a, b) => order(a, b) >= 0,
};

function isNil(value: Value): boolean {
  return value === undefined || value instanceof Nil;
}

function equal(a: Value, b: Value): boolean {
  if (isNil(a) || isNil(b)) return isNil(a) && isNil(b);
  if (typeof a === "object") throw new Error(`non-comparable type: ${typeName(a)}`);
  if (typeof a !== typeof b) throw new Error("incompatible types for comparison");
  return a === b;
}

function order(a: Value, b: Value): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a !== typeof b) throw new Error("incompatible types for comparison");
  throw new Error("invalid type for comparison");
}
