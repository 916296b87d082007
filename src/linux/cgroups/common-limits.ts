/** Controllers whose files are the same in both versions of cgroups. */
import { type Limits, limitWrite } from "./limit-write.ts";

/** CPUs and memory nodes in the kernel's list format. */
export const cpusetLimits: Limits = ({ cpu = {} }) => [
  ...(cpu.cpus ? [limitWrite("cpuset.cpus", cpu.cpus, "cpu.cpus")] : []),
  ...(cpu.mems ? [limitWrite("cpuset.mems", cpu.mems, "cpu.mems")] : []),
];

/** `pids.max` of 0 would forbid the container's own first process; as other runtimes, take 1 for it. */
export const pidsLimits: Limits = ({ pids }) => {
  if (pids?.limit === undefined) return [];
  return [limitWrite("pids.max", pids.limit < 0 ? "max" : Math.max(1, pids.limit), "pids.limit")];
};

export const rdmaLimits: Limits = ({ rdma = {} }) =>
  Object.entries(rdma).map(([device, { hcaHandles, hcaObjects }]) => {
    const handles = hcaHandles === undefined ? "" : ` hca_handle=${hcaHandles}`;
    const objects = hcaObjects === undefined ? "" : ` hca_object=${hcaObjects}`;
    return limitWrite("rdma.max", `${device}${handles}${objects}`, `rdma[${device}]`);
  });
