import { GalleyError } from "../errors.ts";

/** Resource numbers of prlimit(2) (asm-generic/resource.h), by the name that docker's `--ulimit` uses. */
export const rlimits = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
} as const;

export const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

/** The resource number of an OCI type (`RLIMIT_NOFILE`) or a plain name (`nofile`); undefined for an unknown one. */
export function rlimitNumber(type: string): number | undefined {
  const name = type.toLowerCase().replace(/^rlimit_/, "");
  const known: Readonly<Record<string, number>> = rlimits;
  return Object.hasOwn(known, name) ? known[name] : undefined;
}

/** `RLIMIT_NOFILE` for 7; undefined for an unknown number. */
export function rlimitType(number: number): string | undefined {
  const name = Object.entries(rlimits).find(([, value]) => value === number)?.[0];
  return name === undefined ? undefined : `RLIMIT_${name.toUpperCase()}`;
}

/**
 * A limit as the kernel takes it. -1 is unlimited, and so is everything from 2^63 up: a JSON reader cannot keep 2^64 - 1, with
 * which other programs write "unlimited", apart from its neighbours.
 */
export function rlimitValue(value: number): bigint {
  return value < 0 || value >= 2 ** 63 ? RLIM_INFINITY : BigInt(Math.trunc(value));
}

/** A resource limit as the user gave it; -1 is unlimited. */
export interface Ulimit {
  readonly name: keyof typeof rlimits;
  readonly soft: number;
  readonly hard: number;
}

/**
 * Parses docker's `--ulimit`: `nofile=1024`, `nofile=1024:2048`, `memlock=-1:-1`, `core=infinity`.
 * The hard limit is the soft one where it is not given. Throws `invalid_argument`.
 */
export function parseUlimit(text: string): Ulimit {
  const [name = "", value] = splitOnce(text, "=");
  if (value === undefined) throw invalid(text, `invalid ulimit argument: ${text}`);
  if (!isUlimitName(name)) throw invalid(text, `invalid ulimit type: ${name}`);
  const parts = value.split(":");
  if (parts.length > 2)
    throw invalid(text, `too many limit value arguments - ${value}, can only have up to two, \`soft[:hard]\``);
  const soft = parseLimit(parts[0] ?? "", text);
  const hard = parts[1] === undefined ? soft : parseLimit(parts[1], text);
  checkOrder(soft, hard, text);
  return { name, soft, hard };
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** docker has no `as`: it would bind the runtime itself, long before the container's command runs. */
function isUlimitName(name: string): name is keyof typeof rlimits {
  return Object.hasOwn(rlimits, name) && name !== "as";
}

function parseLimit(value: string, text: string): number {
  if (value === "infinity" || value === "unlimited") return -1;
  const number = /^-?[0-9]+$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isNaN(number) || number > Number.MAX_SAFE_INTEGER) throw invalid(text, `invalid limit value: ${value}`);
  if (number < -1) throw invalid(text, `invalid limit value: ${value}: only -1 (unlimited) is negative`);
  return number;
}

function checkOrder(soft: number, hard: number, text: string): void {
  if (hard === -1 || (soft !== -1 && soft <= hard)) return;
  const order = soft === -1 ? `soft: -1 (unlimited), hard: ${hard}` : `${soft} > ${hard}`;
  throw invalid(text, `ulimit soft limit must be less than or equal to hard limit: ${order}`);
}

function invalid(text: string, message: string): GalleyError {
  return new GalleyError("invalid_argument", message, {
    subject: `--ulimit ${text}`,
    hint: `write NAME=SOFT[:HARD], NAME being one of ${Object.keys(rlimits).filter(isUlimitName).join(", ")}`,
  });
}
