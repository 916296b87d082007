import { isObject } from "../json-object.ts";

/** JSON as an object in which no key is there twice. Documents that decide about trust must not mean two things to two readers. */
export function parseStrict(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new SyntaxError("it is not a JSON object");
  const twice = duplicateKey(text);
  if (twice !== undefined) throw new SyntaxError(`Duplicate key ${JSON.stringify(twice)}`);
  return value;
}

/** The first key that is twice in one object of a JSON text, which must be valid. */
function duplicateKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  // Strings, with the colon that makes them keys, and the brackets; all else tells nothing.
  for (const [token, string, colon] of text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g)) {
    if (token === "{" || token === "[") open.push(new Set());
    else if (token === "}" || token === "]") open.pop();
    else if (string !== undefined && colon !== undefined) {
      const key = JSON.parse(string) as string;
      if (open.at(-1)?.has(key) === true) return key;
      open.at(-1)?.add(key);
    }
  }
  return undefined;
}

/** The first key of an object that is not among `known`. */
export function unknownKey(value: Readonly<Record<string, unknown>>, known: readonly string[]): string | undefined {
  return Object.keys(value).find((key) => !known.includes(key));
}
