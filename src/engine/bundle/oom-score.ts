import { readFileSync } from "node:fs";
import type { ProcessConfig } from "../../spec/runtime.ts";
import type { ContainerSpec } from "../types.ts";

/**
 * How willingly the kernel ends a container's processes. What was not asked for is inherited from the caller, but never its
 * protection: a service that is not to be killed may well start containers that are. Raising the value takes no privilege.
 */
export function oomScoreOf(
  { oomScoreAdj }: ContainerSpec,
  own: () => string = () => readFileSync("/proc/self/oom_score_adj", "utf8"),
): Pick<ProcessConfig, "oomScoreAdj"> {
  if (oomScoreAdj) return { oomScoreAdj };
  return own().startsWith("-") ? { oomScoreAdj: 0 } : {};
}
