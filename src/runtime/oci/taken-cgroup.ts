import { GalleyError } from "../../errors.ts";
import type { CgroupLayout } from "../../linux/cgroups/detect.ts";
import { placesOf } from "../../linux/cgroups/places.ts";
import { tryRead } from "../../linux/cgroups/plan.ts";
import { NO_CGROUP } from "../no-cgroup.ts";
import { processesIn } from "./end.ts";

const subject = "linux.cgroupsPath";

/**
 * Two containers in one cgroup would be killed and limited together, and in a frozen one nothing would ever start. Throws
 * `failed_precondition` for either, in runc's words.
 */
export function refuseTakenCgroup(path: string, layout: CgroupLayout): void {
  if (path === NO_CGROUP) return;
  const found = processesIn(path, layout);
  if (found.length > 0) {
    throw new GalleyError("failed_precondition", `container's cgroup is not empty: ${found.length} process(es) found`, {
      subject,
      hint: "give each container a cgroup of its own",
    });
  }
  if (!isFrozen(path, layout)) return;
  throw new GalleyError("failed_precondition", "container's cgroup unexpectedly frozen", {
    subject,
    hint: "thaw it, or name another one",
  });
}

/** By v1's freezer.state, or v2's cgroup.freeze. */
function isFrozen(path: string, layout: CgroupLayout): boolean {
  return placesOf(layout, path).some(
    ({ directory }) =>
      tryRead(`${directory}/freezer.state`)?.startsWith("FR") === true ||
      tryRead(`${directory}/cgroup.freeze`) === "1\n",
  );
}
