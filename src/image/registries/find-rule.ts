import { GalleyError } from "../../errors.ts";
import { canonicalName, parseReference, type Reference, repositoryOf } from "../reference.ts";
import type { Endpoint, RegistriesConf, RegistryRule } from "./conf.ts";

/** Where an image may be read: the name that it has there, and whether that place is trusted unseen. */
export interface PullSource {
  readonly reference: Reference;
  readonly insecure: boolean;
  /** The registry that the image was asked for by; a login that was given for it is for no other. */
  readonly named: string;
}

/**
 * Characters of `name` (a registry, a repository or a whole reference) that a prefix covers, or -1. What follows must begin a new part: `host` does not
 * cover `host.example`, but it covers `host:5000`, as everywhere.
 */
export function coveredBy(prefix: string, name: string): number {
  const wildcard = prefix.startsWith("*.");
  const start = wildcard ? name.indexOf(prefix.slice(1)) : name.startsWith(prefix) ? 0 : -1;
  if (start < 0 || name.slice(0, start).includes("/")) return -1;
  const end = start + prefix.length - (wildcard ? 1 : 0);
  return end === name.length || [":", "/", "@"].includes(name[end] ?? "") ? end : -1;
}

/** The rule with the longest prefix that covers a name. */
export function findRule({ rules }: RegistriesConf, name: string): RegistryRule | undefined {
  return rules
    .filter(({ prefix }) => coveredBy(prefix, name) >= 0)
    .reduce<RegistryRule | undefined>(
      (best, rule) => (best === undefined || rule.prefix.length > best.prefix.length ? rule : best),
      undefined,
    );
}

/** The rule for an image; `permission_denied` where it says that the registry is blocked. */
export function allowedRule(conf: RegistriesConf, reference: Reference): RegistryRule | undefined {
  const rule = findRule(conf, repositoryOf(reference));
  if (rule?.blocked !== true) return rule;
  throw new GalleyError("permission_denied", `registry ${rule.prefix} is blocked in ${rule.file}`, {
    op: "ask registry",
    subject: canonicalName(reference),
    hint: "remove `blocked` there if it is meant to be used",
  });
}

/** The image itself, whatever is read in its place: to be written, listed, deleted. */
export function directSource(conf: RegistriesConf, reference: Reference): PullSource {
  return { reference, insecure: allowedRule(conf, reference)?.insecure === true, named: reference.domain };
}

/** Places to read an image from, in the order to try them: mirrors that serve such a name, then the place itself. */
export function pullSources(conf: RegistriesConf, reference: Reference): readonly PullSource[] {
  const rule = allowedRule(conf, reference);
  if (rule === undefined) return [{ reference, insecure: false, named: reference.domain }];
  const byDigest = reference.digest !== undefined;
  const mirrors = rule.mirrors.filter(({ pulls }) => {
    if (rule.digestsOnly) return byDigest;
    return pulls === "all" || (pulls === "digest-only") === byDigest;
  });
  return [...mirrors, rule].map((endpoint) => ({
    reference: rewritten(reference, rule.prefix, endpoint),
    insecure: endpoint.insecure,
    named: reference.domain,
  }));
}

function rewritten(reference: Reference, prefix: string, { location }: Endpoint): Reference {
  if (location === "") return reference;
  const name = canonicalName(reference);
  const replaced = parseReference(location + name.slice(coveredBy(prefix, name)));
  const { tag, digest } = reference;
  return {
    domain: replaced.domain,
    path: replaced.path,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}
