/** `--security-opt seccomp=FILE`: docker's JSON, which is OCI's with conditions, older spellings included. */
import { GalleyError } from "../../errors.ts";
import { knownActions } from "./actions.ts";
import { knownOperators } from "./conditions.ts";
import type { ProfileRule, SeccompProfile } from "./profile.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a profile. `file` names it in errors. Numbers above 2^53 keep their value. Throws `invalid_argument` with the field's path
 * for what is not JSON or not a profile.
 */
export function parseProfile(text: string, file: string): SeccompProfile {
  const reader = new Reader(file);
  const profile = reader.object(parseExact(text, file), "");
  const listed = reader.optionalStrings(profile.architectures, "architectures");
  const archMap = reader.optionalList(profile.archMap, "archMap");
  if ((listed ?? []).length > 0 && (archMap ?? []).length > 0) {
    throw reader.invalid("architectures", "both 'architectures' and 'archMap' are given; use one of them");
  }
  const syscalls = (reader.optionalList(profile.syscalls, "syscalls") ?? []).map((rule, index) =>
    parseRule(reader, rule, `syscalls[${index}]`),
  );
  return {
    defaultAction: reader.oneOf(profile.defaultAction, "defaultAction", knownActions),
    ...optional("defaultErrnoRet", reader.optionalNumber(profile.defaultErrnoRet, "defaultErrnoRet")),
    ...optional("architectures", listed),
    ...optional(
      "archMap",
      archMap?.map((entry, index) => parseArchitecture(reader, entry, `archMap[${index}]`)),
    ),
    ...optional("flags", reader.optionalStrings(profile.flags, "flags")),
    ...optional("listenerPath", reader.optionalString(profile.listenerPath, "listenerPath")),
    ...optional("listenerMetadata", reader.optionalString(profile.listenerMetadata, "listenerMetadata")),
    syscalls,
  };
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value };
}

/** JSON.parse gives reviver functions the text of each number: those that a double cannot hold become bigint. */
function parseExact(text: string, file: string): unknown {
  type Source = { readonly source?: string };
  try {
    return JSON.parse(text, ((_: string, value: unknown, context: Source) => {
      const isLarge = typeof value === "number" && !Number.isSafeInteger(value);
      return isLarge && /^-?[0-9]+$/.test(context.source ?? "") ? BigInt(context.source ?? "0") : value;
    }) as (key: string, value: unknown) => unknown);
  } catch (cause) {
    throw new GalleyError("invalid_argument", "the seccomp profile is not JSON", { subject: file, cause });
  }
}

function parseArchitecture(
  reader: Reader,
  value: unknown,
  path: string,
): NonNullable<SeccompProfile["archMap"]>[number] {
  const entry = reader.object(value, path);
  return {
    architecture: reader.string(entry.architecture, `${path}.architecture`),
    ...optional("subArchitectures", reader.optionalStrings(entry.subArchitectures, `${path}.subArchitectures`)),
  };
}

function parseRule(reader: Reader, value: unknown, path: string): ProfileRule {
  const rule = reader.object(value, path);
  const args = reader.optionalList(rule.args, `${path}.args`);
  return {
    names: ruleNames(reader, rule, path),
    action: reader.oneOf(rule.action, `${path}.action`, knownActions),
    ...optional("errnoRet", reader.optionalNumber(rule.errnoRet, `${path}.errnoRet`)),
    ...optional(
      "args",
      args?.map((one, index) => parseArg(reader, one, `${path}.args[${index}]`)),
    ),
    ...optional("includes", parseFilter(reader, rule.includes, `${path}.includes`)),
    ...optional("excludes", parseFilter(reader, rule.excludes, `${path}.excludes`)),
  };
}

/** Old profiles have one rule per call, under `name`. */
function ruleNames(reader: Reader, rule: Json, path: string): readonly string[] {
  const name = reader.optionalString(rule.name, `${path}.name`) ?? "";
  const names = reader.optionalStrings(rule.names, `${path}.names`) ?? [];
  if (name === "") return names;
  if (names.length > 0) throw reader.invalid(path, "both 'name' and 'names' are given; use one of them");
  return [name];
}

function parseArg(reader: Reader, value: unknown, path: string): NonNullable<ProfileRule["args"]>[number] {
  const arg = reader.object(value, path);
  const valueTwo = reader.optionalInteger(arg.valueTwo, `${path}.valueTwo`);
  return {
    index: reader.optionalNumber(arg.index, `${path}.index`) ?? 0,
    value: reader.optionalInteger(arg.value, `${path}.value`) ?? 0,
    ...optional("valueTwo", valueTwo),
    op: reader.oneOf(arg.op, `${path}.op`, knownOperators),
  };
}

function parseFilter(reader: Reader, value: unknown, path: string): ProfileRule["includes"] | undefined {
  if (value === undefined || value === null) return undefined;
  const filter = reader.object(value, path);
  return {
    ...optional("caps", reader.optionalStrings(filter.caps, `${path}.caps`)),
    ...optional("arches", reader.optionalStrings(filter.arches, `${path}.arches`)),
    ...optional("minKernel", reader.optionalString(filter.minKernel, `${path}.minKernel`)),
  };
}

/** Checks types and names the field that is wrong. JSON's null is "not given", as Go reads it. */
class Reader {
  constructor(private readonly file: string) {}

  invalid(path: string, message: string): GalleyError {
    return new GalleyError("invalid_argument", message, {
      op: "read seccomp profile",
      subject: `${this.file}: ${path || "top"}`,
    });
  }

  object(value: unknown, path: string): Json {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw this.invalid(path, "must be an object");
    return value as Json;
  }

  string(value: unknown, path: string): string {
    if (typeof value !== "string") throw this.invalid(path, "must be a string");
    return value;
  }

  oneOf(value: unknown, path: string, known: readonly string[]): string {
    const text = this.string(value, path);
    if (!known.includes(text)) throw this.invalid(path, `is ${JSON.stringify(text)}; known are ${known.join(", ")}`);
    return text;
  }

  optionalString(value: unknown, path: string): string | undefined {
    return value === undefined || value === null ? undefined : this.string(value, path);
  }

  optionalInteger(value: unknown, path: string): number | bigint | undefined {
    if (value === undefined || value === null || typeof value === "bigint") return value ?? undefined;
    if (typeof value !== "number" || !Number.isInteger(value)) throw this.invalid(path, "must be an integer");
    return value;
  }

  optionalNumber(value: unknown, path: string): number | undefined {
    const integer = this.optionalInteger(value, path);
    if (typeof integer === "bigint" || (integer ?? 0) < 0) throw this.invalid(path, "is out of range");
    return integer;
  }

  optionalList(value: unknown, path: string): readonly unknown[] | undefined {
    if (value === undefined || value === null) return undefined;
    if (!Array.isArray(value)) throw this.invalid(path, "must be a list");
    return value;
  }

  optionalStrings(value: unknown, path: string): readonly string[] | undefined {
    return this.optionalList(value, path)?.map((one, index) => this.string(one, `${path}[${index}]`));
  }
}
