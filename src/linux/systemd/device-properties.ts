import type { DeviceRule } from "../../spec/runtime.ts";
import { containerDevicePolicy, type DeviceException, deviceAccess } from "../cgroups/device-rules.ts";
import { type DbusValue, variant } from "./dbus/types.ts";
import type { Property } from "./manager.ts";

/**
 * A container's device rules as systemd keeps them (systemd.resource-control(5), DeviceAllow=), which it would otherwise write anew in
 * its own way when it is reloaded. It knows no exceptions from "allow" and none for a minor number of all majors; such rules are written
 * by us alone. The empty list forgets what was allowed before.
 */
export function deviceProperties(rules: readonly DeviceRule[]): Property[] {
  const { defaultAllow, exceptions } = containerDevicePolicy(rules);
  const none: Property = ["DeviceAllow", variant("a(ss)", [])];
  if (defaultAllow && exceptions.length === 0) return [none, ["DevicePolicy", variant("s", "auto")]];
  const allowed = defaultAllow ? [] : exceptions.flatMap(entryOf);
  return [none, ["DevicePolicy", variant("s", "strict")], ["DeviceAllow", variant("a(ss)", allowed)]];
}

function entryOf({ type, major, minor, access }: DeviceException): DbusValue[] {
  if (major < 0 && minor >= 0) return [];
  const kind = type === "c" ? "char" : "block";
  const path = minor >= 0 ? `/dev/${kind}/${major}:${minor}` : `${kind}-${major < 0 ? "*" : major}`;
  const letters = (["r", "w", "m"] as const).filter((letter) => (access & deviceAccess[letter]) !== 0);
  return [[path, letters.join("")]];
}
