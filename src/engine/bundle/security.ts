import { GalleyError } from "../../errors.ts";
import {
  capabilityName,
  capabilityNumbers,
  defaultCapabilities,
  resolveCapabilities,
} from "../../linux/capabilities.ts";
import { defaultSeccomp } from "../../linux/seccomp/default-filter.ts";
import type { CapabilitySets, SeccompConfig } from "../../spec/runtime.ts";
import type { ContainerSpec } from "../types.ts";
import { ownBoundingSet } from "./own-capabilities.ts";

/** `--security-opt`, read. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** `default`, `unconfined`, or the text of a profile. */
  readonly seccomp: string;
  /** Masked and read-only paths are left open. */
  readonly openPaths: boolean;
  readonly writableCgroups: boolean;
}

const defaults: SecurityOptions = {
  noNewPrivileges: false,
  seccomp: "default",
  openPaths: false,
  writableCgroups: false,
};

/** Reads `--security-opt` values. Throws `invalid_argument` for unknown ones, `unimplemented` for what would not be enforced. */
export function securityOptions(options: readonly string[] = []): SecurityOptions {
  let result = defaults;
  for (const text of options) result = { ...result, ...readOption(text) };
  return result;
}

function readOption(text: string): Partial<SecurityOptions> {
  const at = text.search(/[=:]/);
  const key = at < 0 ? text : text.slice(0, at);
  const value = at < 0 ? undefined : text.slice(at + 1);
  switch (key) {
    case "no-new-privileges":
      return { noNewPrivileges: truth(text, value ?? "true") };
    case "seccomp":
      return { seccomp: value === "builtin" || value === undefined || value === "" ? "default" : value };
    case "systempaths":
      if (value === "unconfined") return { openPaths: true };
      throw unknown(text);
    case "writable-cgroups":
      return { writableCgroups: truth(text, value ?? "true") };
    case "apparmor":
      if (value === "unconfined" || value === "") return {};
      throw unenforced(text, "AppArmor profiles are not loaded");
    case "label":
      if (value === "disable") return {};
      throw unenforced(text, "SELinux labels are not set");
    default:
      throw unknown(text);
  }
}

function truth(text: string, value: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw unknown(text);
}

function unknown(text: string): GalleyError {
  return new GalleyError("invalid_argument", `invalid --security-opt: ${JSON.stringify(text)}`, {
    hint: "known are no-new-privileges, seccomp=FILE|unconfined, systempaths=unconfined, apparmor=unconfined, label=disable and writable-cgroups",
  });
}

/** What cannot be enforced is refused: a container that is less confined than asked for would be worse than none. */
function unenforced(text: string, reason: string): GalleyError {
  return new GalleyError("unimplemented", `--security-opt ${text} is not supported: ${reason}`);
}

/** The capabilities of a container's processes, before the user is known. Throws `invalid_argument` for unknown names. */
export function capabilitiesOf({ privileged, capAdd = [], capDrop = [] }: ContainerSpec): readonly string[] {
  if (!privileged && capAdd.length + capDrop.length === 0) return defaultCapabilities;
  const names = resolveCapabilities({ add: capAdd, drop: capDrop, privileged: privileged === true });
  if (!privileged && capAdd.length === 0) return names;
  return availableOf(names, capAdd);
}

/** What this process lacks itself it cannot give. Where it was asked for by name, that is an error. */
function availableOf(names: readonly string[], asked: readonly string[]): readonly string[] {
  const available = new Set(capabilityNumbers(ownBoundingSet()).map(capabilityName));
  const missing = names.find((name) => !available.has(name) && asks(asked, name));
  if (missing === undefined) return names.filter((name) => available.has(name));
  throw new GalleyError(
    "invalid_argument",
    `capability not supported by your kernel or not available in the current environment: "${missing}"`,
  );
}

function asks(asked: readonly string[], name: string): boolean {
  return asked.some((one) => one.toUpperCase() === name || `CAP_${one.toUpperCase()}` === name);
}

/** Bounding, effective and permitted alike; nothing is inherited, so that a program gains what it is given by its file alone. */
export function capabilitySets(names: readonly string[]): CapabilitySets {
  return { bounding: names, effective: names, permitted: names };
}

/** The filter of a container's processes; undefined for none. The default one must be handed on as it is, see `defaultSeccomp`. */
export async function seccompOf(
  { seccomp }: SecurityOptions,
  privileged: boolean,
  capabilities: readonly string[],
): Promise<SeccompConfig | undefined> {
  if (seccomp === "unconfined") return undefined;
  if (seccomp === "default") return privileged ? undefined : defaultSeccomp({ capabilities });
  const [{ parseProfile }, { resolveProfile }] = await Promise.all([
    import("../../linux/seccomp/profile-json.ts"),
    import("../../linux/seccomp/resolve.ts"),
  ]);
  return resolveProfile(parseProfile(seccomp, "--security-opt seccomp"), { capabilities });
}
