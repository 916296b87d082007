import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { type Alias, noRegistriesConf, type RegistriesConf, type RegistryRule } from "./conf.ts";
import { type PartialConf, parseAliases, parseRegistriesConf, parseToml } from "./parse-conf.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the host's own files are; another place for tests. */
const SYSTEM = "/etc/containers";

/**
 * Reads what is in force for a user (containers-registries.conf(5)): the file that CONTAINERS_REGISTRIES_CONF (or REGISTRIES_CONFIG_PATH) names, else
 * the user's, else the host's; then the drop-ins, the host's before the user's, where the host's are left out if the user has a file of their own. A later
 * file adds rules and aliases, and replaces everything else.
 */
export function loadRegistriesConf(env: Environment, system = SYSTEM): RegistriesConf {
  const named = env.CONTAINERS_REGISTRIES_CONF || env.REGISTRIES_CONFIG_PATH || undefined;
  const user = join(env.HOME ?? homedir(), ".config/containers");
  const own = join(user, "registries.conf");
  const hasOwn = named === undefined && existsSync(own);
  const main = named ?? (hasOwn ? own : join(system, "registries.conf"));
  const directories = [...(hasOwn ? [] : [system]), user].map((at) => join(at, "registries.conf.d"));
  let conf = joined(noRegistriesConf, mainFile(main, named !== undefined));
  for (const path of directories.flatMap(dropIns)) {
    const text = read(path);
    if (text !== undefined) conf = joined(conf, parseRegistriesConf(text, path, false));
  }
  return conf;
}

function mainFile(path: string, required: boolean): PartialConf {
  const text = read(path);
  if (text !== undefined) return parseRegistriesConf(text, path);
  if (!required) return {};
  throw new GalleyError("not_found", "no such file or directory", {
    op: "read registries configuration",
    subject: path,
    hint: "CONTAINERS_REGISTRIES_CONF or --registries-conf names it",
  });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (failure) {
    const fault = toGalleyError(failure, { op: "read registries configuration", subject: path });
    if (fault.code === "not_found") return undefined;
    throw fault;
  }
}

function dropIns(directory: string): readonly string[] {
  try {
    const names = readdirSync(directory, { withFileTypes: true }).filter((entry) => !entry.isDirectory());
    return names
      .map(({ name }) => name)
      .filter((name) => name.endsWith(".conf"))
      .sort()
      .map((name) => join(directory, name));
  } catch (failure) {
    const fault = toGalleyError(failure, { op: "read registries configuration", subject: directory });
    if (fault.code === "not_found") return [];
    throw fault;
  }
}

function joined(before: RegistriesConf, { rules = [], aliases = {}, ...rest }: PartialConf): RegistriesConf {
  const byPrefix = new Map<string, RegistryRule>([...before.rules, ...rules].map((rule) => [rule.prefix, rule]));
  const sorted = [...byPrefix.values()].sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
  return { ...before, ...rest, rules: sorted, aliases: { ...before.aliases, ...aliases } };
}

/** The file in which choices of short names are kept: root's in /var/cache, anyone else's in their own cache. */
export function aliasesFile(env: Environment): string {
  if (process.geteuid?.() === 0) return "/var/cache/containers/short-name-aliases.conf";
  const cache = env.XDG_CACHE_HOME || join(env.HOME ?? homedir(), ".cache");
  return join(cache, "containers/short-name-aliases.conf");
}

/** The choices that were kept. */
export function keptAliases(path: string): Readonly<Record<string, Alias>> {
  const text = read(path);
  return text === undefined ? {} : parseAliases(parseToml(text, path).aliases ?? {}, path);
}
