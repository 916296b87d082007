/** Each field of the specification, in whole configurations: its type is checked, and what is not known is passed over. */
import { expect, test } from "bun:test";
import { GalleyError } from "../../src/errors.ts";
import { keyed } from "../../src/spec/validate/problem.ts";
import { parseConfig } from "../../src/spec/validate/validate.ts";
import { configSamples } from "./corpus.ts";
import type { Json } from "./values.ts";

type Fields = { [key: string]: Json };

/** Together they have every field of runtime-spec 1.3 for Linux. */
const whole = configSamples().filter(({ name }) =>
  ["every-field.json", "rare-fields.json", "unified.json"].includes(name),
);
/** Objects whose keys are free: another one is an entry like the others. */
const free = [
  "annotations",
  "linux.sysctl",
  "linux.timeOffsets",
  "linux.netDevices",
  "linux.resources.rdma",
  "linux.resources.unified",
];

interface Place {
  readonly path: string;
  readonly value: Json;
  readonly set: (value: Json) => void;
}

function placesIn(value: Json, path = ""): Place[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => {
    const place = Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : keyed(path, key);
    const set = (other: Json): void => {
      (value as Fields)[key] = other;
    };
    return [{ path: place, value: one, set }, ...placesIn(one, place)];
  });
}

/** The field that a configuration is refused for; an empty text where it is not. */
function refusedField(config: Json): string {
  try {
    parseConfig(JSON.stringify(config), "c");
    return "";
  } catch (failure) {
    if (failure instanceof GalleyError) return failure.subject ?? "";
    throw failure;
  }
}

function ofOtherTypes(value: Json): readonly Json[] {
  const all: readonly Json[] = ["text", 1, true, [], {}, [1], 0.5];
  const kind = (one: Json): string => (Array.isArray(one) ? "list" : typeof one);
  return all.filter((one) => kind(one) !== kind(value));
}

for (const { name, text } of whole) {
  test(`${name}: a value of another type is refused, by the path of its field`, () => {
    const config = JSON.parse(text) as Json;
    const places = placesIn(config);
    expect(places.length).toBeGreaterThan(80);
    for (const { path, value, set } of places) {
      for (const other of ofOtherTypes(value)) {
        set(other);
        expect(`${JSON.stringify(other)} for ${refusedField(config)}`).toBe(`${JSON.stringify(other)} for c: ${path}`);
      }
      set(value);
    }
    expect(refusedField(config)).toBe("");
  });

  test(`${name}: fields that nobody knows are passed over`, () => {
    const config = JSON.parse(text) as Fields;
    const objects = placesIn(config).filter(({ value }) => typeof value === "object" && !Array.isArray(value));
    for (const { path, value } of objects) {
      if (!free.includes(path)) (value as Fields)["org.example.unknown"] = { of: ["any", 5] };
    }
    config.vm = { kernel: 5 };
    config.windows = "not ours";
    expect(refusedField(config)).toBe("");
  });
}
