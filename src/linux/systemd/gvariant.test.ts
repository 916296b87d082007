import { expect, test } from "bun:test";
import { annotatedProperties } from "./annotations.ts";
import { variant } from "./dbus/types.ts";
import { parseVariant } from "./gvariant.ts";

test.each([
  ["true", "b", true],
  ["'it\\'s'", "s", "it's"],
  ['"a\\u00e9\\n"', "s", "a\u00e9\n"],
  ["-5", "i", -5n],
  ["0x10", "i", 16n],
  ["uint64 18446744073709551615", "t", 2n ** 64n - 1n],
  ["byte 255", "y", 255n],
  ["1.5e3", "d", 1500],
  ["double 2", "d", 2],
  ["objectpath '/a'", "o", "/a"],
  ["['a', \"b\"]", "as", ["a", "b"]],
  ["[uint32 1, 2]", "au", [1n, 2n]],
  ["[1, uint32 2]", "au", [1n, 2n]],
  ["@as []", "as", []],
  ["('a', true)", "(sb)", ["a", true]],
  ["(1,)", "(i)", [1n]],
  ["[('/dev/null', 'rw')]", "a(ss)", [["/dev/null", "rw"]]],
  ["{'a': 1}", "a{si}", [["a", 1n]]],
  ["<'x'>", "v", variant("s", "x")],
  ["b'hi'", "ay", new Uint8Array([104, 105, 0])],
] as const)("the text %s is of the type %s", (text, signature, value) => {
  expect(parseVariant(text) as unknown).toEqual({ signature, value });
});

test.each([
  "",
  "tru",
  "'open",
  "[1, 'a']",
  "[]",
  "byte 256",
  "uint32 -1",
  "3000000000",
  "1 2",
  "@ii 1",
  "uint32 1.5",
  "{'a' 1}",
  "[".repeat(99),
])("the text %s is refused", (text) => {
  expect(() => parseVariant(text)).toThrow(Error);
});

test("annotations name properties; seconds become microseconds", () => {
  const annotations = {
    other: "x",
    "org.systemd.property.CollectMode": "'inactive-or-failed'",
    "org.systemd.property.TimeoutStopSec": "double 1.5",
    "org.systemd.property.RuntimeMaxSec": "uint32 2",
    "org.systemd.property.MemoryHigh": "uint64 7",
  };
  expect(annotatedProperties(annotations)).toEqual([
    ["CollectMode", variant("s", "inactive-or-failed")],
    ["TimeoutStopUSec", variant("t", 1_500_000n)],
    ["RuntimeMaxUSec", variant("t", 2_000_000n)],
    ["MemoryHigh", variant("t", 7n)],
  ]);
});

test.each([
  ["org.systemd.property.ab", "1"],
  ["org.systemd.property.A_b_c", "1"],
  ["org.systemd.property.TimeoutStopSec", "'soon'"],
  ["org.systemd.property.TimeoutStopSec", "-1"],
  ["org.systemd.property.CollectMode", "inactive"],
])("the annotation %s=%s is refused by its name", (key, text) => {
  expect(() => annotatedProperties({ [key]: text })).toThrow(`annotation ${key}`);
});
