import { toJson } from "../go-json.ts";
import { compareFunctions } from "./compare.ts";
import { printf } from "./printf.ts";
import { GoMap, GoStruct, isTrue, Nil, printValue, typeName, type Value } from "./values.ts";

/** Functions by the names that templates call them by. They throw an Error that says what is wrong. */
export type Functions = Readonly<Record<string, (...args: readonly Value[]) => Value>>;

/** What Go's text/template has built in, and what docker adds: json split join title lower upper pad truncate. */
export function standardFunctions(): Functions {
  return { ...builtinFunctions(), ...compareFunctions, ...textFunctions() };
}

/**
 * For the headings of a table, which the same template makes: what changes a value leaves its heading alone; `pad` still applies.
 */
export function headingFunctions(): Functions {
  const same = (value: Value) => value;
  const functions = { ...standardFunctions() };
  for (const name of ["json", "split", "join", "title", "lower", "upper", "truncate"]) functions[name] = same;
  return functions;
}

function builtinFunctions(): Functions {
  return {
    and: (...args) => args.find((value) => !isTrue(value)) ?? args[args.length - 1],
    or: (...args) => args.find(isTrue) ?? args[args.length - 1],
    not: (value) => !isTrue(value),
    len: length,
    index: (value, ...keys) => keys.reduce(element, value),
    slice,
    print: (...args) => print(args),
    printf: (format, ...args) => printf(text("printf", format), args),
    println: (...args) => `${args.map(printValue).join(" ")}\n`,
    html: (...args) => escapeHtml(print(args)),
    js: (...args) => JSON.stringify(print(args)).slice(1, -1).replaceAll("'", "\\'"),
    urlquery: (...args) => encodeURIComponent(print(args)).replaceAll("%20", "+"),
  };
}

function textFunctions(): Functions {
  return {
    json: toJson,
    split: (value, separator) => text("split", value).split(text("split", separator)),
    join,
    title: (value) =>
      text("title", value).replace(/(^|\s)(\S)/g, (_, gap: string, letter: string) => gap + letter.toUpperCase()),
    lower: (value) => text("lower", value).toLowerCase(),
    upper: (value) => text("upper", value).toUpperCase(),
    pad: (value, before, after) => {
      const inner = text("pad", value);
      return inner === "" ? "" : " ".repeat(number("pad", before)) + inner + " ".repeat(number("pad", after));
    },
    truncate: (value, most) => text("truncate", value).slice(0, number("truncate", most)),
  };
}

function text(name: string, value: Value): string {
  if (typeof value === "string") return value;
  throw new Error(`${name}: wrong type for value; expected string; got ${typeName(value)}`);
}

function number(name: string, value: Value): number {
  if (typeof value === "number" && value >= 0) return value;
  throw new Error(`${name}: wrong type for value; expected int; got ${typeName(value)}`);
}

/** Go's Sprint puts spaces between operands when neither is text. */
function print(args: readonly Value[]): string {
  return args.reduce<string>((all, value, index) => {
    const gap = index > 0 && typeof value !== "string" && typeof args[index - 1] !== "string";
    return `${all}${gap ? " " : ""}${printValue(value)}`;
  }, "");
}

function length(value: Value): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof GoMap) return value.entries.size;
  if (value instanceof Nil && value.kind !== "pointer") return 0;
  throw new Error(`len of type ${typeName(value)}`);
}

function element(value: Value, key: Value): Value {
  if (value instanceof GoMap) return value.entries.get(text("index", key)) ?? value.zero;
  if (value instanceof GoStruct) return value.fields.get(text("index", key));
  if (value instanceof Nil && value.kind === "map") return undefined;
  const list = value instanceof Nil && value.kind === "list" ? [] : value;
  if (!Array.isArray(list) && typeof list !== "string") {
    throw new Error(
      list === undefined || list instanceof Nil ? "index of untyped nil" : `can't index item of type ${typeName(list)}`,
    );
  }
  if (typeof key !== "number") throw new Error(`cannot index slice/array with type ${typeName(key)}`);
  if (key < 0 || key >= list.length) throw new Error(`index out of range: ${key}`);
  return typeof list === "string" ? Buffer.from(list)[key] : list[key];
}

function slice(value: Value, ...bounds: readonly Value[]): Value {
  const whole = value instanceof Nil && value.kind === "list" ? [] : value;
  if (typeof whole !== "string" && !Array.isArray(whole))
    throw new Error(`can't slice item of type ${typeName(whole)}`);
  const [start = 0, end = whole.length] = bounds;
  if (typeof start !== "number" || typeof end !== "number" || start < 0 || end > whole.length || start > end) {
    throw new Error(`index out of range: ${bounds.map(printValue).join(":")}`);
  }
  return whole.slice(start, end);
}

function join(value: Value, separator: Value): string {
  const between = text("join", separator);
  if (value === undefined || value instanceof Nil) return "";
  if (Array.isArray(value)) return value.map(printValue).join(between);
  if (value instanceof GoMap) return [...value.entries.values()].map(printValue).sort().join(between);
  throw new Error(`expected slice, got ${typeName(value)}`);
}

function escapeHtml(value: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&#34;",
    "'": "&#39;",
  };
  return value.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
