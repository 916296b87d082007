import { isObject, type JsonObject } from "../json-object.ts";
import { fromBase64 } from "./base64.ts";
import type { KeySource } from "./policy.ts";
import { unknownKey } from "./strict-json.ts";

/** An object that has no keys but these. */
export function known(value: unknown, keys: readonly string[]): JsonObject {
  const values = record(value);
  const unknown = unknownKey(values, keys);
  if (unknown !== undefined) throw new SyntaxError(`Unknown key ${JSON.stringify(unknown)}`);
  return values;
}

/** A JSON object; a `SyntaxError` for anything else. */
export function record(value: unknown): JsonObject {
  if (isObject(value)) return value;
  throw new SyntaxError("expected a JSON object");
}

/** The keys of a requirement, from the one of these fields that is there. */
export function keySource(value: JsonObject, names: readonly string[], least: 0 | 1): KeySource | undefined {
  const given = names.filter((name) => value[name] !== undefined);
  const [name] = given;
  if (given.length > 1 || given.length < least) {
    throw new SyntaxError(`${least === 1 ? "exactly" : "at most"} one of ${names.join(", ")} must be specified`);
  }
  if (name === undefined) return undefined;
  const texts = textsOf(value[name], name);
  return /Paths?$/.test(name) ? { paths: texts } : { data: texts.map((text) => base64(text, name)) };
}

function textsOf(value: unknown, name: string): readonly string[] {
  const list = name.endsWith("s") ? value : [value];
  if (!Array.isArray(list) || !list.every((one) => typeof one === "string" && one !== "")) {
    throw new SyntaxError(`${JSON.stringify(name)} must be ${name.endsWith("s") ? "a list of strings" : "a string"}`);
  }
  if (list.length === 0) throw new SyntaxError(`${JSON.stringify(name)} contains no entries`);
  return list as readonly string[];
}

function base64(text: string, name: string): Uint8Array {
  const bytes = fromBase64(text);
  if (bytes !== undefined) return bytes;
  throw new SyntaxError(`${JSON.stringify(name)} is not base64`);
}

/** The text of the one field that stands beside a type. */
export function text(value: unknown, name: string): string {
  return field(known(value, ["type", name])[name], name);
}

/** A text with something in it. */
export function field(value: unknown, name: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new SyntaxError(`${JSON.stringify(name)} must be a string`);
}
