import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { GalleyError } from "../../errors.ts";
import { writeFileAtomic } from "../../state/atomic-file.ts";
import { canonicalName, parseReference, type Reference, withDefaultTag } from "../reference.ts";
import type { RegistriesConf } from "./conf.ts";
import { aliasesFile, keptAliases, loadRegistriesConf } from "./load-conf.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What a name may stand for. */
export interface Candidates {
  /** In the order to try them; at least one. */
  readonly references: readonly Reference[];
  /** A person must choose one of several, and the choice is to be kept. */
  readonly choose: boolean;
  /** One line for people about how the name was understood; absent where there is nothing to say. */
  readonly note?: string;
}

/**
 * Whether a name leaves its registry open: `busybox`, `team/app`. The first part is a registry if it is `localhost` or holds a dot, a colon or an upper-case
 * letter (distribution/reference).
 */
export function isShortName(text: string): boolean {
  const [first = "", rest] = text.split("/", 2);
  return rest === undefined || !(first === "localhost" || /[.:]/.test(first) || first.toLowerCase() !== first);
}

/**
 * What a name stands for when it is pulled. A short name is, in this order: a choice kept earlier or an alias of registries.conf; an image of one of the
 * `unqualified-search-registries`, by `short-name-mode`; where those are not set, of docker.io, as with Docker.
 * @param interactive whether a person can be asked
 */
export function resolveName(text: string, env: Environment, interactive: boolean): Candidates {
  const plain = () => ({ references: [withDefaultTag(parseReference(text))], choose: false });
  if (!isShortName(text)) return plain();
  const conf = loadRegistriesConf(env);
  const alias = aliasOf(text, conf, env);
  if (alias !== undefined) return alias;
  const hosts = conf.searched ?? [];
  if (hosts.length === 0) return plain();
  const references = hosts.map((host) => withDefaultTag(parseReference(`${host}/${text}`)));
  const open = references.length > 1 && conf.shortNames !== "disabled";
  if (open && !interactive && conf.shortNames === "enforcing") throw cannotAsk(text, references);
  return { references, choose: open && interactive, note: `Resolving "${text}" using unqualified-search registries` };
}

/** All that a short name may stand for in the store; nothing for any other name. */
export function possibleNames(text: string, env: Environment): readonly Reference[] {
  if (!isShortName(text)) return [];
  const conf = loadRegistriesConf(env);
  const searched = ["localhost", ...(conf.searched ?? [])].map((host) => parseReference(`${host}/${text}`));
  return [...(aliasOf(text, conf, env)?.references ?? []), ...searched];
}

function aliasOf(text: string, conf: RegistriesConf, env: Environment): Candidates | undefined {
  const { name, suffix } = split(text);
  const found = keptAliases(aliasesFile(env))[name] ?? conf.aliases[name];
  if (found === undefined || found.repository === "") return undefined;
  const reference = withDefaultTag(parseReference(found.repository + suffix));
  const usual = canonicalName(reference) === canonicalName(withDefaultTag(parseReference(text)));
  const note = usual ? {} : { note: `Resolved "${name}" as an alias (${found.file})` };
  return { references: [reference], choose: false, ...note };
}

/** The repository as written, and the tag and digest with what separates them. */
function split(text: string): { readonly name: string; readonly suffix: string } {
  const [, name = text, suffix = ""] = /^([^:@]*)(.*)$/.exec(text) ?? [];
  return { name, suffix };
}

function cannotAsk(text: string, references: readonly Reference[]): GalleyError {
  return new GalleyError("failed_precondition", "short-name resolution enforced but cannot prompt without a TTY", {
    op: "pull",
    subject: text,
    hint: `name one of ${references.map(canonicalName).join(", ")}`,
  });
}

/** Keeps which repository a short name was chosen to mean. */
export function keepAlias(text: string, { domain, path }: Reference, env: Environment): void {
  const file = aliasesFile(env);
  const before = Object.entries(keptAliases(file)).map(([name, { repository }]) => [name, repository] as const);
  const all = new Map([...before, [split(text).name, `${domain}/${path}`]]);
  const lines = [...all]
    .sort()
    .map(([name, repository]) => `  ${JSON.stringify(name)} = ${JSON.stringify(repository)}`);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileAtomic(file, `[aliases]\n${lines.join("\n")}\n`);
}
