/** The keys of `--mount`, with what each adds to the mount that is being read. */
import type { MountRequest } from "../types.ts";
import { invalidOption } from "./invalid.ts";
import { parseByteSize } from "./size.ts";
import { hostPath } from "./target.ts";

/** A mount that is being read. */
export interface Draft extends Partial<Omit<MountRequest, "type">> {
  readonly type: string;
}

export interface MountKey {
  /** What the key means without a value. */
  readonly bare?: string;
  /** Throws `invalid_argument` for a value that the key does not take. */
  read(value: string, draft: Draft): Partial<Draft>;
}

const source: MountKey = { read: (value) => ({ source: hostPath(value) }) };
const target: MountKey = { read: (value) => ({ target: value }) };
const readonly = switchKey("readonly", (on) => ({ readonly: on }));

/** By name, in lower case. */
export const mountKeys: Readonly<Record<string, MountKey>> = {
  type: { read: (value) => ({ type: value.toLowerCase() }) },
  source,
  src: source,
  target,
  dst: target,
  destination: target,
  readonly,
  ro: readonly,
  // A hint for virtual machines that share files; there is nothing to do here.
  consistency: { read: () => ({}) },
  "bind-propagation": { read: readPropagation },
  "bind-recursive": { read: readRecursion },
  "bind-nonrecursive": switchKey("bind-nonrecursive", (on) => ({ nonRecursive: on })),
  "volume-nocopy": switchKey("volume-nocopy", (on) => ({ noCopy: on })),
  "volume-subpath": { read: readSubpath },
  "volume-label": { read: readLabel },
  "volume-driver": { read: readDriver },
  "tmpfs-size": { read: (value) => ({ size: readSize(value) }) },
  "tmpfs-mode": { read: (value) => ({ mode: readMode(value) }) },
};

function switchKey(name: string, meaning: (on: boolean) => Partial<Draft>): MountKey {
  return {
    bare: "true",
    read(value) {
      const on = ["1", "t", "true"].includes(value.toLowerCase());
      if (!on && !["0", "f", "false"].includes(value.toLowerCase())) throw invalidValue(name, value);
      return meaning(on);
    },
  };
}

const propagations = ["private", "rprivate", "shared", "rshared", "slave", "rslave"] as const;

function readPropagation(value: string): Partial<Draft> {
  const propagation = propagations.find((one) => one === value.toLowerCase());
  if (propagation !== undefined) return { propagation };
  throw invalidOption(
    `invalid mount config for type "bind": invalid propagation mode: ${value}`,
    `known are ${propagations.join(", ")}`,
  );
}

function readRecursion(value: string): Partial<Draft> {
  if (value === "disabled") return { nonRecursive: true };
  if (value === "enabled" || value === "writable" || value === "readonly") return { readonlyRecursive: value };
  throw invalidValue("bind-recursive", `${value} (must be "enabled", "disabled", "writable", or "readonly")`);
}

function readSubpath(value: string): Partial<Draft> {
  if (!value.startsWith("/") && !value.split("/").includes("..")) return { subpath: value };
  throw invalidOption(`invalid value for volume-subpath: ${value}: it must be a relative path inside the volume`);
}

function readLabel(value: string, { labels }: Draft): Partial<Draft> {
  const at = value.indexOf("=");
  const [key, text] = at < 0 ? [value, ""] : [value.slice(0, at), value.slice(at + 1)];
  return { labels: { ...labels, [key]: text } };
}

function readDriver(value: string): Partial<Draft> {
  if (value === "" || value === "local") return {};
  throw invalidOption(`no volume driver named '${value}': it must be local`);
}

function readSize(value: string): number {
  try {
    return parseByteSize(value);
  } catch {
    throw invalidValue("tmpfs-size", value);
  }
}

function readMode(value: string): number {
  if (!/^[0-7]{1,5}$/.test(value)) throw invalidValue("tmpfs-mode", value);
  return Number.parseInt(value, 8);
}

function invalidValue(key: string, value: string): Error {
  return invalidOption(`invalid value for ${key}: ${value}`);
}
