import { GalleyError } from "../../errors.ts";
import { dottedSysctl, sysctlProblem } from "../../spec/validate/sysctls.ts";
import type { ContainerSpec } from "../types.ts";
import type { NamespaceModes } from "./modes.ts";

/** With a network of its own, a container's programs may listen on low ports and send echo requests without any privilege. */
const networkDefaults: Readonly<Record<string, string>> = {
  "net.ipv4.ip_unprivileged_port_start": "0",
  "net.ipv4.ping_group_range": "0 2147483647",
};

/** docker's defaults and what was asked for, by dotted names. */
export function sysctlsOf(spec: ContainerSpec, modes: NamespaceModes): Readonly<Record<string, string>> {
  const defaults = modes.network.kind === "own" ? networkDefaults : {};
  if (spec.sysctls === undefined) return defaults;
  const asked = Object.entries(spec.sysctls).map(([name, value]) => [dottedSysctl(name), value] as const);
  return { ...defaults, ...Object.fromEntries(asked) };
}

/** Throws `invalid_argument` for a parameter that is not the container's own. */
export function checkSysctls(spec: ContainerSpec, modes: NamespaceModes): void {
  for (const [name, value] of Object.entries(spec.sysctls ?? {})) {
    const problem = sysctlProblem(name, value, (type) => {
      if (type === "user") return false;
      const mode = modes[type as "network" | "ipc" | "uts"] as NamespaceModes["network"] | undefined;
      return mode !== undefined && mode.kind !== "host";
    });
    if (problem === undefined) continue;
    const reason = problem.startsWith("is not allowed") ? problem : `is not allowed: it ${problem}`;
    throw new GalleyError("invalid_argument", `sysctl '${name}=${value}' ${reason}`);
  }
}
