import { formatG } from "../number.ts";
import { GoMap, GoStruct, Nil, printValue, typeName, type Value } from "./values.ts";

interface Verb {
  readonly flags: string;
  readonly width: number | undefined;
  readonly precision: number | undefined;
  readonly verb: string;
}

/** Go's fmt.Sprintf for template values: the verbs v d s q x X c U t f e g b o T and %%, with flags, width and precision. */
export function printf(format: string, args: readonly Value[]): string {
  let next = 0;
  const take = () => args[next++];
  const text = format.replace(
    /%([-+# 0]*)(\*|[0-9]+)?(?:\.(\*|[0-9]*))?(.)/gsu,
    (_, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      const spec = { flags, width: size(width, take), precision: size(precision, take), verb };
      if (next >= args.length) return `%!${verb}(MISSING)`;
      return pad(spec, one(spec, take()));
    },
  );
  const extra = args.slice(next).map((value) => `${typeName(value)}=${printValue(value)}`);
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(", ")})`;
}

function size(text: string | undefined, take: () => Value): number | undefined {
  if (text === undefined) return undefined;
  if (text !== "*") return Number(text);
  const value = take();
  return typeof value === "number" ? value : 0;
}

function one(spec: Verb, value: Value): string {
  switch (spec.verb) {
    case "v":
      return spec.flags.includes("#") && typeof value === "string" ? JSON.stringify(value) : printValue(value);
    case "T":
      return typeName(value);
    case "t":
      return typeof value === "boolean" ? String(value) : wrong(spec, value);
    case "s":
    case "q":
      return textual(spec, value);
    default:
      return typeof value === "number" ? numeric(spec, value) : hexText(spec, value);
  }
}

/** Applied to the elements of lists and maps, as Go does. */
function textual(spec: Verb, value: Value): string {
  if (typeof value === "string") {
    const cut = spec.precision === undefined ? value : [...value].slice(0, spec.precision).join("");
    return spec.verb === "q" ? JSON.stringify(cut) : cut;
  }
  if (Array.isArray(value)) return `[${value.map((element) => textual(spec, element)).join(" ")}]`;
  if (value instanceof GoMap) {
    const entry = ([key, element]: readonly [string, Value]) => `${textual(spec, key)}:${textual(spec, element)}`;
    return `map[${value.sorted().map(entry).join(" ")}]`;
  }
  if (value instanceof GoStruct)
    return `{${[...value.fields.values()].map((field) => textual(spec, field)).join(" ")}}`;
  if (value instanceof Nil && value.kind !== "pointer") return printValue(value);
  return wrong(spec, value);
}

function hexText(spec: Verb, value: Value): string {
  if (typeof value !== "string" || !/[xX]/.test(spec.verb)) return wrong(spec, value);
  const hex = Buffer.from(value).toString("hex");
  return spec.verb === "X" ? hex.toUpperCase() : hex;
}

function numeric(spec: Verb, value: number): string {
  const sign = value < 0 ? "-" : spec.flags.includes("+") ? "+" : spec.flags.includes(" ") ? " " : "";
  const digits = unsigned(spec, Math.abs(value));
  return digits === undefined ? wrong(spec, value) : `${sign}${digits}`;
}

function unsigned({ verb, precision, flags }: Verb, value: number): string | undefined {
  const whole = Number.isInteger(value);
  const prefix = flags.includes("#");
  switch (verb) {
    case "d":
      return whole ? BigInt(value).toString() : undefined;
    case "x":
      return whole ? `${prefix ? "0x" : ""}${value.toString(16)}` : undefined;
    case "X":
      return whole ? `${prefix ? "0X" : ""}${value.toString(16).toUpperCase()}` : undefined;
    case "o":
      return whole ? `${prefix ? "0" : ""}${value.toString(8)}` : undefined;
    case "b":
      return whole ? value.toString(2) : undefined;
    case "c":
      return whole ? String.fromCodePoint(value) : undefined;
    case "U":
      return whole ? `U+${value.toString(16).toUpperCase().padStart(4, "0")}` : undefined;
    case "f":
    case "F":
      return value.toFixed(precision ?? 6);
    case "e":
      return value.toExponential(precision ?? 6).replace(/e([+-])([0-9])$/, "e$10$2");
    case "g":
      return precision === undefined ? printValue(value) : formatG(value, precision);
    default:
      return undefined;
  }
}

function wrong(spec: Verb, value: Value): string {
  if (value === undefined) return `%!${spec.verb}(<nil>)`;
  return `%!${spec.verb}(${typeName(value)}=${printValue(value)})`;
}

function pad({ flags, width }: Verb, text: string): string {
  const missing = (width ?? 0) - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes("-")) return text + " ".repeat(missing);
  if (!flags.includes("0")) return " ".repeat(missing) + text;
  const sign = /^[-+ ]/.exec(text)?.[0] ?? "";
  return sign + "0".repeat(missing) + text.slice(sign.length);
}
