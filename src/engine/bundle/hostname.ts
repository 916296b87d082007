import { readFileSync } from "node:fs";
import type { ContainerSpec } from "../types.ts";
import { type JoinedContainers, namespaceModes } from "./modes.ts";

const SHORT_ID = 12;

/**
 * The name that a container sees as its host's: what was asked for; that of the host or of the container whose network (or, of the
 * host, name) it shares; else the beginning of its ID.
 */
export function hostnameOf(id: string, spec: ContainerSpec, joined: JoinedContainers = {}): string {
  if (spec.hostname) return spec.hostname;
  const { network, uts } = namespaceModes(spec);
  if (network.kind === "host" || uts.kind === "host") return hostName();
  return joined.network?.hostname ?? id.slice(0, SHORT_ID);
}

/** uname(2)'s node name; the file is read faster than node:os is loaded. */
function hostName(): string {
  return readFileSync("/proc/sys/kernel/hostname", "utf8").trim();
}
