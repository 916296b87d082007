/**
 * Which devices a container may use: the OCI rules (runtime-spec config-linux.md, "Allowed Device list") brought to one form that
 * both cgroup versions can express: a default, and exceptions from it.
 */
import { GalleyError } from "../../errors.ts";
import type { DeviceRule } from "../../spec/runtime.ts";

/** Access bits as BPF_DEVCG_ACC_* has them. */
export const deviceAccess = { m: 1, r: 2, w: 4 } as const;
const ALL_ACCESS = 7;

/** -1 stands for any number. */
export interface DeviceException {
  readonly type: "b" | "c";
  readonly major: number;
  readonly minor: number;
  readonly access: number;
}

/** Exceptions are allowed where the default is to deny, denied where it is to allow. No two for the same devices. */
export interface DevicePolicy {
  readonly defaultAllow: boolean;
  readonly exceptions: readonly DeviceException[];
}

/**
 * What every container may use, whatever its rules say, as with other runtimes: making any device node (which alone gives no
 * access to it), the standard devices, pseudo-terminals, and net/tun, which is of no use without CAP_NET_ADMIN and expected by
 * VPN images.
 */
export const defaultDevicePolicy: DevicePolicy = {
  defaultAllow: false,
  exceptions: [
    { type: "c", major: -1, minor: -1, access: deviceAccess.m },
    { type: "b", major: -1, minor: -1, access: deviceAccess.m },
    { type: "c", major: 1, minor: 3, access: ALL_ACCESS },
    { type: "c", major: 1, minor: 5, access: ALL_ACCESS },
    { type: "c", major: 1, minor: 7, access: ALL_ACCESS },
    { type: "c", major: 1, minor: 8, access: ALL_ACCESS },
    { type: "c", major: 1, minor: 9, access: ALL_ACCESS },
    { type: "c", major: 5, minor: 0, access: ALL_ACCESS },
    { type: "c", major: 5, minor: 2, access: ALL_ACCESS },
    { type: "c", major: 136, minor: -1, access: ALL_ACCESS },
    { type: "c", major: 10, minor: 200, access: ALL_ACCESS },
  ],
};

/** The single rule of a privileged container. */
export const allowAllDevices: readonly DeviceRule[] = [{ allow: true, access: "rwm" }];

/**
 * Applies rules in their order to "deny everything". A rule for all devices and all access starts anew. Throws `invalid_argument`
 * for an unknown access letter that is allowed, and for a rule that takes a part out of a wider one: cgroup v1 would ignore it silently.
 */
export function devicePolicy(rules: readonly DeviceRule[]): DevicePolicy {
  let defaultAllow = false;
  let exceptions = new Map<string, DeviceException>();
  for (const [index, rule] of rules.entries()) {
    const subject = `linux.resources.devices[${index}]`;
    const access = accessBits(rule, subject);
    if (isForAll(rule, access)) {
      defaultAllow = rule.allow;
      exceptions = new Map();
      continue;
    }
    for (const one of expand(rule, access)) {
      if (rule.allow === defaultAllow) remove(exceptions, one, subject);
      else add(exceptions, one);
    }
  }
  return { defaultAllow, exceptions: [...exceptions.values()] };
}

function isForAll({ type, major = -1, minor = -1 }: DeviceRule, access: number): boolean {
  return (type === undefined || type === "a") && major < 0 && minor < 0 && access === ALL_ACCESS;
}

/** Type `a` with a number or with less than all access means block and character devices alike. */
function expand({ type, major = -1, minor = -1 }: DeviceRule, access: number): DeviceException[] {
  const one = { major: Math.max(major, -1), minor: Math.max(minor, -1), access };
  if (type === "b" || type === "c") return [{ type, ...one }];
  return [
    { type: "b", ...one },
    { type: "c", ...one },
  ];
}

/** No access given for all devices means all access: `{"allow": false}` is how some engines begin their list. */
function accessBits(rule: DeviceRule, subject: string): number {
  if (rule.access === "rwm") return ALL_ACCESS;
  let bits = 0;
  for (const letter of rule.access ?? "") {
    if (letter !== "r" && letter !== "w" && letter !== "m") {
      if (!rule.allow) continue;
      throw new GalleyError("invalid_argument", `unknown device access "${rule.access}"`, {
        subject: `${subject}.access`,
        hint: "use the letters r, w and m",
      });
    }
    bits |= deviceAccess[letter];
  }
  return bits === 0 ? ALL_ACCESS : bits;
}

function keyOf(one: DeviceException): string {
  return `${one.type} ${one.major}:${one.minor}`;
}

function add(exceptions: Map<string, DeviceException>, one: DeviceException): void {
  const key = keyOf(one);
  const before = exceptions.get(key);
  exceptions.set(key, before === undefined ? one : { ...one, access: before.access | one.access });
}

function remove(exceptions: Map<string, DeviceException>, one: DeviceException, subject: string): void {
  for (const wider of widerThan(one)) {
    const found = exceptions.get(keyOf(wider));
    if (found === undefined || (found.access & one.access) === 0) continue;
    throw new GalleyError("invalid_argument", `cannot except ${keyOf(one)} from the wider rule for ${keyOf(found)}`, {
      subject,
      hint: "put the wider rule later, or leave it out",
    });
  }
  const before = exceptions.get(keyOf(one));
  if (before === undefined) return;
  const access = before.access & ~one.access;
  if (access === 0) exceptions.delete(keyOf(one));
  else exceptions.set(keyOf(one), { ...before, access });
}

function widerThan(one: DeviceException): DeviceException[] {
  const candidates = [
    { ...one, major: -1 },
    { ...one, minor: -1 },
    { ...one, major: -1, minor: -1 },
  ];
  return candidates.filter((wider) => keyOf(wider) !== keyOf(one));
}

/** The policy of a container: its own rules, then {@link defaultDevicePolicy}. Throws as {@link devicePolicy} does. */
export function containerDevicePolicy(rules: readonly DeviceRule[]): DevicePolicy {
  const own = devicePolicy(rules);
  if (own.defaultAllow) return allowDefaults(own);
  if (own.exceptions.length === 0) return defaultDevicePolicy;
  const exceptions = new Map<string, DeviceException>();
  for (const one of [...own.exceptions, ...defaultDevicePolicy.exceptions]) add(exceptions, one);
  return { defaultAllow: false, exceptions: [...exceptions.values()] };
}

/** Where all but a few devices are allowed, the defaults are taken out of those few. */
function allowDefaults({ exceptions }: DevicePolicy): DevicePolicy {
  const denied = new Map(exceptions.map((one) => [keyOf(one), one]));
  for (const one of defaultDevicePolicy.exceptions) remove(denied, one, "linux.resources.devices");
  return { defaultAllow: true, exceptions: [...denied.values()] };
}

/** Whether a policy lets a device be used: what the filters of both versions are tested against. */
export function permits(policy: DevicePolicy, type: "b" | "c", major: number, minor: number, access: number): boolean {
  const matching = policy.exceptions.filter(
    (one) => one.type === type && (one.major < 0 || one.major === major) && (one.minor < 0 || one.minor === minor),
  );
  if (policy.defaultAllow) return !matching.some((one) => (one.access & access) !== 0);
  return matching.some((one) => (access & ~one.access) === 0);
}

/** By the bits of {@link deviceAccess}. */
const accessTexts = ["", "m", "r", "rm", "w", "wm", "rw", "rwm"] as const;

/** An exception as devices.allow and devices.deny take it: `c 1:3 rwm`. */
export function deviceRuleText(one: DeviceException): string {
  const [major, minor] = [one.major < 0 ? "*" : one.major, one.minor < 0 ? "*" : one.minor];
  return `${one.type} ${major}:${minor} ${accessTexts[one.access] ?? ""}`;
}
