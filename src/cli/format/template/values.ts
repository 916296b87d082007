/**
 * The values that a template works on, with Go's distinctions where they show: a map prints as `map[k:v]` and gives nothing
 * for a key that it lacks, a struct prints as `{a b}` and fails for a field that it lacks, nil has a kind.
 */
export type Value = undefined | boolean | number | string | readonly Value[] | GoMap | GoStruct | Methods | Nil;

/** nil of a list prints `[]`, of a map `map[]`, of a pointer `<nil>`; in JSON each is null. */
export class Nil {
  constructor(readonly kind: "list" | "map" | "pointer") {}
}

/** A map with text keys. `zero` is what `index` gives for a key that is not there. */
export class GoMap {
  constructor(
    readonly entries: ReadonlyMap<string, Value>,
    readonly zero: Value = undefined,
  ) {}

  /** Go prints and encodes maps in the order of their keys. */
  sorted(): readonly (readonly [string, Value])[] {
    return [...this.entries].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** Fields in their order. `absent` holds those that JSON leaves out because they are empty, which templates can still name. */
export class GoStruct {
  constructor(
    readonly fields: ReadonlyMap<string, Value>,
    readonly absent: ReadonlyMap<string, Value> = new Map(),
  ) {}
}

/** Something that answers by name, as docker's rows do: `.ID`, `.Label "key"`. Each is computed when it is asked for. */
export class Methods {
  constructor(
    /** As error messages call it. */
    readonly type: string,
    readonly methods: Readonly<Record<string, (...args: readonly Value[]) => Value>>,
  ) {}
}

/** Go's notion of truth: false, zero, nil and everything empty are false. */
export function isTrue(value: Value): boolean {
  if (value === undefined || value instanceof Nil) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof GoMap) return value.entries.size > 0;
  return typeof value === "object" ? true : Boolean(value);
}

/** The kind of a value as error messages name it. */
export function typeName(value: Value): string {
  if (value === undefined) return "interface {}";
  if (value instanceof Methods) return value.type;
  if (value instanceof Nil) return value.kind === "pointer" ? "nil" : value.kind;
  if (value instanceof GoMap) return "map";
  if (value instanceof GoStruct) return "struct";
  if (Array.isArray(value)) return "slice";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64";
  return typeof value === "boolean" ? "bool" : "string";
}

/** A value as Go's `%v` prints it. */
export function printValue(value: Value): string {
  if (value === undefined) return "<no value>";
  if (typeof value === "string") return value;
  if (typeof value === "number") return printNumber(value);
  if (typeof value === "boolean") return String(value);
  if (value instanceof Nil) return value.kind === "pointer" ? "<nil>" : value.kind === "map" ? "map[]" : "[]";
  if (value instanceof GoMap)
    return `map[${value
      .sorted()
      .map(([key, one]) => `${key}:${printInner(one)}`)
      .join(" ")}]`;
  if (value instanceof GoStruct) return `{${[...value.fields.values()].map(printInner).join(" ")}}`;
  if (value instanceof Methods) return `{${value.type}}`;
  return `[${value.map(printInner).join(" ")}]`;
}

function printInner(value: Value): string {
  return value === undefined ? "<nil>" : printValue(value);
}

/** Go changes to exponents at 1e21, as JavaScript does, but writes at least two digits of them. */
function printNumber(value: number): string {
  return String(value).replace(/e([+-])([0-9])$/, "e$10$2");
}
