/** A container without a cgroup of its own: it stays where its maker is, as runc's rootless containers do. */
import { GalleyError } from "../errors.ts";
import type { LinuxConfig, ResourcesConfig } from "../spec/runtime.ts";
import type { CgroupSteps } from "./cgroup.ts";

/** `linux.cgroupsPath` of such a container. Absent, it is a mistake of who made the configuration. */
export const NO_CGROUP = "";

const nothing: CgroupSteps = {
  before: [],
  prepare: [],
  enter: [],
  cleanup: [],
  pause: [],
  resume: [],
  kill: [],
  oom: {},
};

/** Nothing is done. Throws `failed_precondition` where limits are asked for; device rules are the kernel's own for such a user. */
export function withoutCgroup({ resources = {} }: LinuxConfig): CgroupSteps {
  const limit = Object.keys(resources).find((name) => isLimit(name as keyof ResourcesConfig, resources));
  if (limit === undefined) return nothing;
  throw new GalleyError(
    "failed_precondition",
    "rootless needs no limits + no cgrouppath when no permission is granted for cgroups",
    {
      subject: `linux.resources.${limit}`,
      hint: "name a cgroup that you may write to in linux.cgroupsPath, or leave the limits out",
    },
  );
}

function isLimit(name: keyof ResourcesConfig, resources: ResourcesConfig): boolean {
  const part = resources[name];
  return name !== "devices" && part !== undefined && Object.keys(part).length > 0;
}
