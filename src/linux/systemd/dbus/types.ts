/** D-Bus values and their types (D-Bus Specification, "Type System"). */

/** A value that brings its type along. */
export interface Variant {
  /** One complete type, as `s`, `t` or `a(ss)`. */
  readonly signature: string;
  readonly value: DbusValue;
}

/** 64-bit integers are read as bigint; any integer may be written as number or bigint. `ay` is bytes, a structure an array. */
export type DbusValue = string | number | bigint | boolean | Uint8Array | Variant | readonly DbusValue[];

/** A variant of a type. */
export function variant(signature: string, value: DbusValue): Variant {
  return { signature, value };
}

const alignments: Readonly<Record<string, number>> = {
  y: 1,
  g: 1,
  v: 1,
  n: 2,
  q: 2,
  b: 4,
  i: 4,
  u: 4,
  h: 4,
  s: 4,
  o: 4,
  a: 4,
  x: 8,
  t: 8,
  d: 8,
  "(": 8,
  "{": 8,
};

/** To what multiple of bytes a value of a type is padded. Throws for what is no type. */
export function alignmentOf(type: string): number {
  const found = alignments[type.charAt(0)];
  if (found === undefined) throw new Error(`no D-Bus type: ${JSON.stringify(type)}`);
  return found;
}

/** The complete types of a signature: `sa(sv)u` is `s`, `a(sv)` and `u`. */
export function typesOf(signature: string): string[] {
  const types: string[] = [];
  for (let at = 0; at < signature.length; ) {
    const end = endOfType(signature, at);
    types.push(signature.slice(at, end));
    at = end;
  }
  return types;
}

function endOfType(signature: string, start: number): number {
  const first = signature.charAt(start);
  if (first === "a") return endOfType(signature, start + 1);
  if (first !== "(" && first !== "{") {
    alignmentOf(first);
    return start + 1;
  }
  const close = first === "(" ? ")" : "}";
  let at = start + 1;
  while (signature.charAt(at) !== close) at = endOfType(signature, at);
  return at + 1;
}

/** The types within a structure or a dictionary's entry. */
export function membersOf(type: string): string[] {
  return typesOf(type.slice(1, -1));
}
