/** systemd makes a cgroup idle by a weight of 0, since version 252: it cannot have another one beside. */
import type { ResourcesConfig } from "../../spec/runtime.ts";
import type { Target } from "./resource-properties.ts";

const SINCE = 252;

/** Resources without the weight of a cgroup that becomes idle, which the kernel would refuse; `warn` is told in runc's words. */
export function withoutIdleWeight(
  resources: ResourcesConfig,
  target: Target,
  warn: (message: string) => void,
): ResourcesConfig {
  if (target.cgroups === 1 || target.version < SINCE) return resources;
  return withoutWeight(withoutShares(resources, warn), warn);
}

function withoutShares(resources: ResourcesConfig, warn: (message: string) => void): ResourcesConfig {
  const { shares = 0, ...cpu } = resources.cpu ?? {};
  if (cpu.idle !== 1 || shares === 0) return resources;
  warn("unable to apply both CPUWeight and CpuIdle to systemd, ignoring CPUWeight");
  return { ...resources, cpu };
}

function withoutWeight(resources: ResourcesConfig, warn: (message: string) => void): ResourcesConfig {
  const { "cpu.weight": weight, ...unified } = resources.unified ?? {};
  if (unified["cpu.idle"]?.trim() !== "1" || weight === undefined) return resources;
  warn("unable to apply both cpu.weight and cpu.idle to systemd, ignoring cpu.weight");
  return { ...resources, unified };
}
