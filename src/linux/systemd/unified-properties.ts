import { GalleyError } from "../../errors.ts";
import type { DbusValue } from "./dbus/types.ts";
import { variant } from "./dbus/types.ts";
import type { Property } from "./manager.ts";
import { INFINITY, quotaProperties, setProperty, type Target } from "./resource-properties.ts";

const sizes: Readonly<Record<string, string>> = {
  "memory.high": "MemoryHigh",
  "memory.low": "MemoryLow",
  "memory.min": "MemoryMin",
  "memory.max": "MemoryMax",
  "memory.swap.max": "MemorySwapMax",
};

/** `linux.resources.unified` as far as systemd has properties for its files; all of it is written to the cgroup too. */
export function unifiedProperties(unified: Readonly<Record<string, string>>, target: Target): Property[] {
  const idle = unified["cpu.idle"]?.trim() === "1" && target.version >= 252;
  return Object.entries(unified).flatMap(([file, text]): Property[] => {
    const subject = `linux.resources.unified[${file}]`;
    const value = text.trim();
    const size = sizes[file];
    if (size !== undefined) return [[size, variant("t", limitOf(value, subject))]];
    if (file === "cpu.idle") return idle ? [["CPUWeight", variant("t", 0)]] : [];
    if (file === "cpu.weight") return idle ? [] : [["CPUWeight", variant("t", limitOf(value, subject))]];
    if (file === "cpu.max") return maximum(value, subject);
    if (file === "cpuset.cpus") return setProperty("AllowedCPUs", value, subject, target);
    if (file === "cpuset.mems") return setProperty("AllowedMemoryNodes", value, subject, target);
    return file === "pids.max" ? [["TasksMax", variant("t", value === "0" ? 1 : limitOf(value, subject))]] : [];
  });
}

/** `memory.oom.group`, which systemd takes for a unit that is made, and since version 253 alone. */
export function oomPolicy(unified: Readonly<Record<string, string>>, { version }: Target): Property[] {
  const policy = { "0": "continue", "1": "kill" }[unified["memory.oom.group"]?.trim() ?? ""];
  return policy === undefined || version < 253 ? [] : [["OOMPolicy", variant("s", policy)]];
}

function limitOf(text: string, subject: string): DbusValue {
  if (text === "max") return INFINITY;
  if (/^\d+$/.test(text)) return BigInt(text);
  throw new GalleyError("invalid_argument", `must be a number or max, not ${JSON.stringify(text)}`, { subject });
}

/** `cpu.max`: a quota or `max`, and perhaps a period. */
function maximum(text: string, subject: string): Property[] {
  const [quota = "", period = "100000", ...rest] = text.split(/\s+/);
  if (rest.length > 0) throw new GalleyError("invalid_argument", "must be a quota and a period", { subject });
  const amount = limitOf(quota, subject);
  return quotaProperties(amount === INFINITY ? 0 : Number(amount), Number(limitOf(period, subject)));
}
