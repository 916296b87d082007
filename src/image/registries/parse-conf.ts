import { GalleyError } from "../../errors.ts";
import { domainMatches, parseReference } from "../reference.ts";
import type { Alias, Mirror, RegistriesConf, RegistryRule, ShortNameMode } from "./conf.ts";

/** What one file says; what it does not mention is absent. */
export type PartialConf = { readonly [Key in keyof RegistriesConf]?: RegistriesConf[Key] };

type Table = Readonly<Record<string, unknown>>;

const modes = ["enforcing", "permissive", "disabled"] as const;
const pulls = ["all", "digest-only", "tag-only"] as const;

/**
 * Reads one file of containers-registries.conf(5): TOML, version 2, or where `old` allows it version 1, which is turned into the same. Keys that
 * nobody knows are left out, as everybody does; what is known and wrong is `failed_precondition`.
 */
export function parseRegistriesConf(text: string, file: string, old = true): PartialConf {
  const top = parseToml(text, file);
  if (hasOldFormat(top)) {
    if (!old) throw wrong(file, "registry must be in v2 format but is in v1");
    if (Object.keys(top).some((key) => newKeys.includes(key)))
      throw wrong(file, "mixing sysregistry v1/v2 is not supported");
    return oldConf(top, file);
  }
  const rules = tables(top.registry, "registry", file).map((table) => ruleOf(table, file));
  checkConflicts(rules, file);
  const mode = text1(top, "short-name-mode", file);
  return {
    ...(rules.length === 0 ? {} : { rules: firstOfEach(rules) }),
    ...(top["unqualified-search-registries"] === undefined ? {} : { searched: searched(top, file) }),
    ...(mode === "" ? {} : { shortNames: modeOf(mode, file) }),
    ...(top.aliases === undefined ? {} : { aliases: parseAliases(top.aliases, file) }),
    ...(top["credential-helpers"] === undefined ? {} : { helpers: texts(top, "credential-helpers", file) }),
  };
}

const newKeys = [
  "registry",
  "unqualified-search-registries",
  "credential-helpers",
  "short-name-mode",
  "aliases",
  "additional-layer-store-auth-helper",
];

/** TOML as an object; `failed_precondition` where it is none. */
export function parseToml(text: string, file: string): Table {
  try {
    return Bun.TOML.parse(text) as Table;
  } catch (failure) {
    throw wrong(file, (failure as Error).message);
  }
}

function wrong(file: string, why: string): GalleyError {
  return new GalleyError("failed_precondition", why, {
    op: "read registries configuration",
    subject: file,
    hint: "containers-registries.conf(5) has the format",
  });
}

function tables(value: unknown, key: string, file: string): readonly Table[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((one) => typeof one === "object" && one !== null)) return value as Table[];
  throw wrong(file, `${key} must be written as [[${key}]]`);
}

function text1(table: Table, key: string, file: string): string {
  const value = table[key] ?? "";
  if (typeof value === "string") return value;
  throw wrong(file, `${key} must be a string`);
}

function truth(table: Table, key: string, file: string): boolean {
  const value = table[key] ?? false;
  if (typeof value === "boolean") return value;
  throw wrong(file, `${key} must be true or false`);
}

function texts(table: Table, key: string, file: string): readonly string[] {
  const value = table[key] ?? [];
  if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value as string[];
  throw wrong(file, `${key} must be a list of strings`);
}

/** A location without a slash at its end; schemes are refused. */
function place(table: Table, key: string, file: string): string {
  const text = text1(table, key, file);
  if (/^https?:\/\//.test(text)) throw wrong(file, `invalid location '${text}': URI schemes are not supported`);
  return text.replace(/\/+$/, "");
}

function ruleOf(table: Table, file: string): RegistryRule {
  const location = place(table, "location", file);
  const prefix = place(table, "prefix", file) || location;
  if (prefix === "") throw wrong(file, "invalid condition: both location and prefix are unset");
  if (prefix.startsWith("*.")) checkWildcard(prefix, file);
  else if (location === "") {
    throw wrong(file, "invalid condition: location is unset and prefix is not in the format: *.example.com");
  }
  if (table["pull-from-mirror"] !== undefined) {
    throw wrong(file, `pull-from-mirror must not be set for a non-mirror registry ${JSON.stringify(prefix)}`);
  }
  const digestsOnly = truth(table, "mirror-by-digest-only", file);
  return {
    ...{ prefix, location, digestsOnly, file },
    insecure: truth(table, "insecure", file),
    blocked: truth(table, "blocked", file),
    mirrors: tables(table.mirror, "registry.mirror", file).map((one) => mirrorOf(one, prefix, digestsOnly, file)),
  };
}

function checkWildcard(prefix: string, file: string): void {
  if (!/[/@:]/.test(prefix)) return;
  const said = `Current prefix ${JSON.stringify(prefix)} is incorrectly formatted`;
  throw wrong(file, `Wildcarded prefix should be in the format: *.example.com. ${said}`);
}

function mirrorOf(table: Table, prefix: string, digestsOnly: boolean, file: string): Mirror {
  const location = place(table, "location", file);
  if (location === "") throw wrong(file, "invalid condition: mirror location is unset");
  const asked = text1(table, "pull-from-mirror", file);
  if (asked !== "" && digestsOnly) {
    throw wrong(
      file,
      `cannot set mirror usage mirror-by-digest-only for the registry (${JSON.stringify(prefix)}) and pull-from-mirror for per-mirror (${JSON.stringify(location)}) at the same time`,
    );
  }
  const found = pulls.find((one) => one === (asked || "all"));
  if (found !== undefined) return { location, insecure: truth(table, "insecure", file), pulls: found };
  throw wrong(
    file,
    `unsupported pull-from-mirror value ${JSON.stringify(asked)} for mirror ${JSON.stringify(location)}`,
  );
}

/** Two rules about the same place must not say different things of it. */
function checkConflicts(rules: readonly RegistryRule[], file: string): void {
  const key = ({ location, prefix }: RegistryRule) => location || prefix;
  for (const rule of rules) {
    for (const setting of ["insecure", "blocked"] as const) {
      if (rules.every((other) => key(other) !== key(rule) || other[setting] === rule[setting])) continue;
      throw wrong(file, `registry '${key(rule)}' is defined multiple times with conflicting '${setting}' setting`);
    }
  }
}

function firstOfEach(rules: readonly RegistryRule[]): readonly RegistryRule[] {
  return rules.filter((rule, at) => rules.findIndex(({ prefix }) => prefix === rule.prefix) === at);
}

function searched(table: Table, file: string): readonly string[] {
  return texts(table, "unqualified-search-registries", file).map((text) => {
    const host = text.replace(/\/+$/, "");
    if (domainMatches(host)) return host;
    throw wrong(file, `Invalid unqualified-search-registries entry ${JSON.stringify(text)}`);
  });
}

function modeOf(text: string, file: string): ShortNameMode {
  const mode = modes.find((one) => one === text);
  if (mode !== undefined) return mode;
  throw wrong(file, `invalid short-name mode: ${JSON.stringify(text)}`);
}

/** The table `[aliases]`; names and repositories are checked, all of them. */
export function parseAliases(value: unknown, file: string): Readonly<Record<string, Alias>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(file, "aliases must be a table");
  const entries = Object.entries(value as Table).map(([name, target]) => {
    if (!/^[a-z0-9]+([._/-]+[a-z0-9]+)*$/.test(name) || hasRegistry(name)) {
      throw wrong(
        file,
        `invalid short name ${JSON.stringify(name)}: it is a repository without registry, tag and digest`,
      );
    }
    return [name, { repository: aliasTarget(target, file), file }] as const;
  });
  return Object.fromEntries(entries);
}

/** Whether what stands before the first slash is a registry. */
function hasRegistry(name: string): boolean {
  const [first = "", rest] = name.split("/", 2);
  return rest !== undefined && (first === "localhost" || /[.:]/.test(first));
}

function aliasTarget(target: unknown, file: string): string {
  if (target === "") return "";
  const refuse = (what: string) => wrong(file, `invalid alias ${JSON.stringify(target)}: ${what}`);
  if (typeof target !== "string" || !hasRegistry(target)) throw refuse("must contain registry and repository");
  const { tag, digest, domain, path } = parseReference(target);
  if (tag !== undefined) throw refuse("must not contain tag");
  if (digest !== undefined) throw refuse("must not contain digest");
  return `${domain}/${path}`;
}

/** The old format has `[registries.search]`, `[registries.insecure]`, `[registries.block]`. */
function hasOldFormat({ registries }: Table): boolean {
  if (typeof registries !== "object" || registries === null) return false;
  return ["search", "insecure", "block"].some((key) => (registries as Table)[key] !== undefined);
}

function oldConf({ registries }: Table, file: string): PartialConf {
  const listOf = (key: string): readonly string[] =>
    texts(((registries as Table)[key] ?? {}) as Table, "registries", file).map((location) =>
      place({ location }, "location", file),
    );
  const [blocked, insecure, hosts] = [listOf("block"), listOf("insecure"), listOf("search")];
  const rules = [...new Set([...blocked, ...insecure])].map((location) => ({
    ...{ prefix: location, location, mirrors: [], digestsOnly: false, file },
    insecure: insecure.includes(location),
    blocked: blocked.includes(location),
  }));
  return { rules, searched: searched({ "unqualified-search-registries": hosts }, file) };
}
