/** Types of JSON values, checked with the path of each part: what a decoder of a statically typed language would refuse. */
import { error, keyed, type Problem } from "./problem.ts";

/** Adds to `problems` what is wrong with a value. */
export type Shape = (value: unknown, path: string, problems: Problem[]) => void;

/** So much of a value is told. */
const LONGEST = 80;

function expected(what: string, value: unknown, path: string): Problem {
  return error(path === "" ? "config.json" : path, `must be ${what}, is ${given(value)}`);
}

/** A null in a list has been read as undefined: a list keeps its places. */
function given(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "object") return Array.isArray(value) ? "a list" : "an object";
  const text = typeof value === "string" ? JSON.stringify(value.slice(0, LONGEST + 1)) : String(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

export const text: Shape = (value, path, problems) => {
  if (typeof value !== "string") problems.push(expected("a string", value, path));
  else if (value.includes("\0")) problems.push(error(path, "must not contain a NUL byte"));
};

export const flag: Shape = (value, path, problems) => {
  if (typeof value !== "boolean") problems.push(expected("true or false", value, path));
};

/** An integer in a range, both ends included. */
export function integer(min: number, max: number): Shape {
  return (value, path, problems) => {
    const isInteger = typeof value === "number" && Number.isInteger(value);
    if (!isInteger) problems.push(expected("an integer", value, path));
    else if (value < min || value > max) problems.push(error(path, `must be between ${min} and ${max}, is ${value}`));
  };
}

export const u16 = integer(0, 2 ** 16 - 1);
export const u32 = integer(0, 2 ** 32 - 1);
export const i32 = integer(-(2 ** 31), 2 ** 31 - 1);
export const i64 = integer(-(2 ** 63), 2 ** 63);
/** Up to 2^64, to which a reader of JSON rounds 2^64 - 1; and -1, which some write for the same. */
export const u64 = integer(-1, 2 ** 64);

/** A number of 64 bits with all its digits, as number or bigint. */
export const exactU64: Shape = (value, path, problems) => {
  const isExact = typeof value === "bigint" && value >= 0n && value < 2n ** 64n;
  if (!isExact) u64(value, path, problems);
};

export function oneOf(...values: readonly string[]): Shape {
  return (value, path, problems) => {
    if (typeof value !== "string" || !values.includes(value)) {
      problems.push(expected(`one of ${values.join(", ")}`, value, path));
    }
  };
}

export function list(item: Shape): Shape {
  return (value, path, problems) => {
    if (!Array.isArray(value)) problems.push(expected("a list", value, path));
    else for (const [index, one] of value.entries()) item(one, `${path}[${index}]`, problems);
  };
}

/** An object whose keys are free. */
export function record(item: Shape): Shape {
  return (value, path, problems) => {
    if (!isObject(value)) return void problems.push(expected("an object", value, path));
    for (const [key, one] of Object.entries(value)) item(one, keyed(path, key), problems);
  };
}

/**
 * An object with known keys, of which those ending in `!` must be there. Others are passed over, as the specification says; but a known
 * key in other letters is given its own ones, in the value itself, as Go's decoder takes it.
 */
export function object(fields: Readonly<Record<string, Shape>>): Shape {
  const parts = Object.entries(fields).map(([name, shape]) => ({
    key: name.replace("!", ""),
    shape,
    must: name.endsWith("!"),
  }));
  const known = new Set(parts.map(({ key }) => key));
  return (value, path, problems) => {
    if (!isObject(value)) return void problems.push(expected("an object", value, path));
    for (const key in value) if (!known.has(key)) takeKnown(value, key, known);
    for (const { key, shape, must } of parts) {
      const field = path === "" ? key : `${path}.${key}`;
      if (value[key] !== undefined) shape(value[key], field, problems);
      else if (must) problems.push(error(field, "is required"));
    }
  };
}

function takeKnown(value: Record<string, unknown>, key: string, known: ReadonlySet<string>): void {
  const letters = key.toLowerCase();
  for (const name of known) {
    if (name.toLowerCase() !== letters || value[name] !== undefined) continue;
    value[name] = value[key];
    delete value[key];
    return;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
