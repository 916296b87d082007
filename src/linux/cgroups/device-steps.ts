/** A device policy as writes to a v1 devices cgroup (Documentation/admin-guide/cgroup-v1/devices.rst). */
import { type DeviceException, type DevicePolicy, deviceAccess, deviceRuleText } from "./device-rules.ts";
import type { FileWrite } from "./types.ts";

const CAUSE = "linux.resources.devices";
const ALL = "a *:* rwm";

/** For a new cgroup, which begins with what its parent may use: first the default, which also forgets all exceptions. */
export function newDeviceWrites(policy: DevicePolicy): FileWrite[] {
  return [
    write(policy.defaultAllow, ALL),
    ...policy.exceptions.map((one) => write(!policy.defaultAllow, deviceRuleText(one))),
  ];
}

/**
 * For a cgroup in use: from what `devices.list` says now, with no moment in which a device allowed before and after is refused.
 * The exceptions of a cgroup that allows by default cannot be read, so such a one begins anew.
 */
export function changedDeviceWrites(list: string, policy: DevicePolicy): FileWrite[] {
  const now = parseDeviceList(list);
  if (now === undefined || policy.defaultAllow) return newDeviceWrites(policy);
  const lost = now.flatMap((one) => difference(one, policy.exceptions));
  const gained = policy.exceptions.flatMap((one) => difference(one, now));
  return [
    ...lost.map((one) => write(false, deviceRuleText(one))),
    ...gained.map((one) => write(true, deviceRuleText(one))),
  ];
}

function write(allow: boolean, value: string): FileWrite {
  return { file: allow ? "devices.allow" : "devices.deny", value, cause: CAUSE };
}

/** What of `one`'s access the others do not have for the very same devices. */
function difference(one: DeviceException, others: readonly DeviceException[]): DeviceException[] {
  const same = others.find(
    (other) => other.type === one.type && other.major === one.major && other.minor === one.minor,
  );
  const access = one.access & ~(same?.access ?? 0);
  return access === 0 ? [] : [{ ...one, access }];
}

/** The exceptions of a cgroup that refuses by default; undefined for one that allows. Lines are `c 1:3 rwm`. */
function parseDeviceList(list: string): DeviceException[] | undefined {
  const exceptions: DeviceException[] = [];
  for (const line of list.split("\n")) {
    const [type, numbers = "", letters = ""] = line.split(" ");
    if (type === "a") return undefined;
    if (type !== "b" && type !== "c") continue;
    const [major = "", minor = ""] = numbers.split(":");
    exceptions.push({ type, major: numberOf(major), minor: numberOf(minor), access: bitsOf(letters) });
  }
  return exceptions;
}

function numberOf(text: string): number {
  return text === "*" ? -1 : Number(text);
}

function bitsOf(letters: string): number {
  const known: Readonly<Record<string, number>> = deviceAccess;
  return [...letters].reduce((bits, letter) => bits | (known[letter] ?? 0), 0);
}
