import { parseDuration } from "../../spec/duration.ts";
import type { Flag, FlagOptions } from "./flag.ts";
import { parseBool, parseInteger, parseSize } from "./values.ts";

/** A switch: `--tty`, `--tty=false`. */
export function bool(options: FlagOptions<boolean>): Flag<boolean> {
  const initial = options.initial ?? false;
  return {
    type: "",
    bare: "true",
    ...(initial ? { shownDefault: "true" } : {}),
    ...options,
    initial,
    set: (_, text) => parseBool(text),
  };
}

/** Text; the last occurrence counts. `check` throws for text that is not allowed. */
export function string(options: FlagOptions<string>, check?: (text: string) => void): Flag<string> {
  const initial = options.initial ?? "";
  return {
    type: "string",
    ...(initial === "" ? {} : { shownDefault: JSON.stringify(initial) }),
    ...options,
    initial,
    set(_, text) {
      check?.(text);
      return text;
    },
  };
}

/** Each occurrence adds one entry; commas mean nothing. `convert` may refuse an entry or change it. */
export function list(
  options: FlagOptions<readonly string[]>,
  convert: (text: string) => string = (text) => text,
): Flag<readonly string[]> {
  return { type: "list", ...options, initial: options.initial ?? [], set: (all, text) => [...all, convert(text)] };
}

/** Each occurrence adds `key=value`; a key given twice keeps its last value. */
export function map(
  options: FlagOptions<Readonly<Record<string, string>>>,
  check?: (text: string) => void,
): Flag<Readonly<Record<string, string>>> {
  return {
    type: "map",
    ...options,
    initial: options.initial ?? {},
    set(all, text) {
      check?.(text);
      const at = text.indexOf("=");
      return at < 0 ? { ...all, [text]: "" } : { ...all, [text.slice(0, at)]: text.slice(at + 1) };
    },
  };
}

/** docker's `--filter name=value`; values gather under their name. */
export type FilterValues = Readonly<Record<string, readonly string[]>>;

/** `--filter name=value`, any number of times. */
export function filter(options: FlagOptions<FilterValues>): Flag<FilterValues> {
  return {
    type: "filter",
    ...options,
    initial: options.initial ?? {},
    set(all, text) {
      if (text === "") return all;
      const at = text.indexOf("=");
      if (at < 0) throw new Error("bad format of filter (expected name=value)");
      const name = text.slice(0, at).trim().toLowerCase();
      return { ...all, [name]: [...(all[name] ?? []), text.slice(at + 1).trim()] };
    },
  };
}

/** A whole number; undefined where the flag is not given and has no initial value. */
export function int(options: FlagOptions<number | undefined>): Flag<number | undefined> {
  const initial = options.initial;
  return {
    type: "int",
    ...(initial === undefined || initial === 0 ? {} : { shownDefault: String(initial) }),
    ...options,
    initial,
    set: (_, text) => parseInteger(text),
  };
}

/** Bytes, written `512m`, `1.5GiB`, `1024`. With `unlimited`, -1 is allowed too. */
export function bytes(options: FlagOptions<number | undefined> & { unlimited?: boolean }): Flag<number | undefined> {
  const { unlimited, ...rest } = options;
  return {
    type: "bytes",
    ...rest,
    initial: options.initial,
    set: (_, text) => (unlimited === true && text === "-1" ? -1 : parseSize(text)),
  };
}

/** A length of time such as `1m30s`, in nanoseconds. */
export function duration(options: FlagOptions<number | undefined>): Flag<number | undefined> {
  return { type: "duration", ...options, initial: options.initial, set: (_, text) => parseDuration(text) };
}

/** A number of CPUs such as `1.5`, in nano-CPUs. */
export function cpus(options: FlagOptions<number | undefined>): Flag<number | undefined> {
  return {
    type: "decimal",
    ...options,
    initial: options.initial,
    set(_, text) {
      if (!/^[0-9]+(\.[0-9]*)?$|^\.[0-9]+$/.test(text)) throw new Error(`failed to parse ${text} as a number of CPUs`);
      const nano = Number(text) * 1e9;
      if (Math.abs(nano - Math.round(nano)) > 1e-3) throw new Error("value is too precise: at most nine decimals");
      return Math.round(nano);
    },
  };
}
