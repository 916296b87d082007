import { GoMap, GoStruct, Methods, Nil, type Value } from "./template/values.ts";

/** Go's encoder escapes these unless it is told not to. */
const htmlEscapes: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
};

/** A template value as compact JSON: maps by key, structs in order, what answers by name as its plain answers by name. */
export function toJson(value: Value): string {
  if (value === undefined || value instanceof Nil) return "null";
  if (value instanceof Methods) return escapeHtml(methodsJson(value));
  if (value instanceof GoMap) return objectJson(value.sorted());
  if (value instanceof GoStruct) return objectJson([...value.fields]);
  if (Array.isArray(value)) return `[${value.map(toJson).join(",")}]`;
  return escapeSeparators(JSON.stringify(value));
}

function objectJson(entries: readonly (readonly [string, Value])[]): string {
  return `{${entries.map(([key, value]) => `${escapeSeparators(JSON.stringify(key))}:${toJson(value)}`).join(",")}}`;
}

/** Methods that need an argument are not part of it. */
function methodsJson({ methods }: Methods): string {
  const plain = Object.keys(methods).filter((name) => methods[name]?.length === 0);
  return objectJson(plain.sort().map((name) => [name, methods[name]?.()] as const));
}

function escapeHtml(text: string): string {
  return text.replace(/[<>&]/g, (character) => htmlEscapes[character] ?? character);
}

/** Line and paragraph separators, which Go always escapes. */
function escapeSeparators(text: string): string {
  return text.replace(/[\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
}
