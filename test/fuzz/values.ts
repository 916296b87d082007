/** JSON values at the edges of what a configuration may hold. */
import type { Random } from "./random.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const numbers = [
  0,
  1,
  -1,
  2,
  5,
  7,
  8,
  10,
  19,
  20,
  63,
  99,
  100,
  255,
  256,
  511,
  512,
  999,
  1000,
  1001,
  4095,
  4096,
  65534,
  65535,
  65536,
  999_999_999,
  1e9,
  1e6,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  -(2 ** 31) - 1,
  2 ** 32 - 2,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 63,
  -(2 ** 63),
  2 ** 64,
  -(2 ** 64),
  1e300,
  -1e300,
  0.5,
  -0.5,
  1e-9,
];

const texts = [
  "",
  "/",
  ".",
  "..",
  "//",
  "/..",
  "../..",
  "/../../etc",
  "a",
  "A=",
  "=",
  "=A",
  "A=b",
  "\0",
  "a\0b",
  "\n",
  "a\nb",
  "a b",
  "-1",
  "0",
  "0-",
  "0-3,7",
  "3-0",
  "99999",
  "4294967296",
  "\ud800",
  "é".repeat(40),
  "x".repeat(255),
  "x".repeat(256),
  "/x".repeat(2100),
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "$PATH",
  "%s%n",
  "$(true)",
];

/** A value that is like none of the configuration's. */
export function oddValue(random: Random): Json {
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2:
      return random.one(numbers);
    case 3:
    case 4:
    case 5:
      return random.one(texts);
    case 6:
      return random.one([null, true, false, [], {}, [[]], [{}], { "": {} }, [null]] as readonly Json[]);
    default:
      return nested(random.below(40), random);
  }
}

function nested(depth: number, random: Random): Json {
  if (depth === 0) return random.one(texts);
  const inner = nested(depth - 1, random);
  return random.chance(0.5) ? [inner] : { [random.one(texts)]: inner };
}

/** The same number, nearly; or a text that is longer, shorter or has a telling part in it. */
export function near(value: Json, random: Random): Json {
  if (typeof value === "number") return value + random.one([1, -1, 0.5, 2 ** 32, -value, -2 * value, value]);
  if (typeof value === "boolean") return !value;
  if (typeof value !== "string") return value;
  const at = random.below(value.length + 1);
  const [head, tail] = [value.slice(0, at), value.slice(at)];
  return random.one([
    head,
    tail,
    head + random.one(texts) + tail,
    value + value,
    value.toUpperCase(),
    `${tail}${head}`,
  ]);
}
