import { GalleyError } from "../errors.ts";
import { parseDigest, tryParseDigest } from "./digest.ts";

/**
 * A distribution reference, normalised as docker does (distribution/reference): `busybox` is
 * `docker.io/library/busybox`, and what stands before the first `/` is a registry if it is `localhost`, has a dot, a colon or an
 * upper-case letter.
 */
export interface Reference {
  /** Registry with its port: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly domain: string;
  /** Repository below the registry: `library/busybox`. */
  readonly path: string;
  readonly tag?: string;
  /** `algorithm:hex`. Where both are given, the digest decides and the tag is for people. */
  readonly digest?: string;
}

const DEFAULT_DOMAIN = "docker.io";
const OFFICIAL = "library/";
const MAX_PATH = 255;

const label = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const domainPattern = `(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const pathPattern = `${component}(?:/${component})*`;
const tagPattern = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
const digestPattern = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";

/** Whether a text is a registry's name, with or without a port. */
export function domainMatches(text: string): boolean {
  return new RegExp(`^${domainPattern}$`).test(text);
}

/** Made on first use: a command that names no image does not pay for it. */
let whole: RegExp | undefined;
function wholePattern(): RegExp {
  whole ??= new RegExp(`^(${domainPattern})/(${pathPattern})(?::(${tagPattern}))?(?:@(${digestPattern}))?$`);
  return whole;
}

/**
 * Parses a name as a person writes it. No tag is added: see {@link withDefaultTag}.
 * Malformed names are `invalid_argument`, in docker's words.
 */
export function parseReference(text: string): Reference {
  if (text === "") throw invalid(text, "invalid reference format: repository name must have at least one component");
  if (/^[a-f0-9]{64}$/.test(text)) {
    throw invalid(text, `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const [domain, remainder] = splitDomain(text);
  const name = remainder.split(":", 1)[0] ?? "";
  if (name.toLowerCase() !== name) {
    throw invalid(text, `invalid reference format: repository name (${name}) must be lowercase`);
  }
  const match = wholePattern().exec(`${domain}/${remainder}`);
  if (match === null) throw invalid(text, "invalid reference format");
  return checked(text, match[2] ?? "", { domain: match[1] ?? "", tag: match[3], digest: match[4] });
}

function checked(
  text: string,
  path: string,
  parts: { readonly domain: string; readonly tag: string | undefined; readonly digest: string | undefined },
): Reference {
  if (path.length > MAX_PATH) throw invalid(text, `repository name must not be more than ${MAX_PATH} characters`);
  if (parts.digest !== undefined) parseDigest(parts.digest);
  return {
    domain: parts.domain,
    path,
    ...(parts.tag === undefined ? {} : { tag: parts.tag }),
    ...(parts.digest === undefined ? {} : { digest: parts.digest }),
  };
}

function invalid(text: string, message: string): GalleyError {
  return new GalleyError("invalid_argument", message, { op: "parse reference", subject: JSON.stringify(text) });
}

function splitDomain(text: string): readonly [string, string] {
  const slash = text.indexOf("/");
  if (slash < 0) return [DEFAULT_DOMAIN, OFFICIAL + text];
  const first = text.slice(0, slash);
  const isDomain = first === "localhost" || /[.:]/.test(first) || first.toLowerCase() !== first;
  const domain = !isDomain || first === "index.docker.io" ? DEFAULT_DOMAIN : first;
  const remainder = isDomain ? text.slice(slash + 1) : text;
  return [domain, domain === DEFAULT_DOMAIN && !remainder.includes("/") ? OFFICIAL + remainder : remainder];
}

/** The same reference with the tag `latest`, if it has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: "latest" } : reference;
}

/** Repository with its registry: `docker.io/library/busybox`. */
export function repositoryOf(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

/** Everything the reference says, in full: `docker.io/library/busybox:latest`. */
export function canonicalName(reference: Reference): string {
  return repositoryOf(reference) + suffixOf(reference);
}

/** What people write: `busybox:latest` for `docker.io/library/busybox:latest`. */
export function familiarName(reference: Reference): string {
  return familiarRepository(reference) + suffixOf(reference);
}

/** The repository as people write it: `busybox`. */
export function familiarRepository({ domain, path }: Reference): string {
  if (domain !== DEFAULT_DOMAIN) return `${domain}/${path}`;
  const short = path.startsWith(OFFICIAL) ? path.slice(OFFICIAL.length) : path;
  return short.includes("/") ? path : short;
}

function suffixOf({ tag, digest }: Reference): string {
  return `${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** What a person may mean by one word: a whole image ID, or a name. A prefix of an ID looks like a name. */
export function parseAnyReference(text: string): { readonly id: string } | { readonly reference: Reference } {
  if (/^[a-f0-9]{64}$/.test(text)) return { id: `sha256:${text}` };
  if (tryParseDigest(text) !== undefined) return { id: text };
  return { reference: parseReference(text) };
}
