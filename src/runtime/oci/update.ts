import { closeSync, constants, openSync, writeSync } from "node:fs";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { detectCgroups } from "../../linux/cgroups/detect.ts";
import type { CgroupWrite } from "../../linux/cgroups/types.ts";
import { planUpdate } from "../../linux/cgroups/update.ts";
import { describeErrno } from "../../linux/errno.ts";
import type { ResourcesConfig } from "../../spec/runtime.ts";
import type { Home } from "./home.ts";
import { statusOf, storedConfig, storedState } from "./state.ts";

/** Brings a container that runs to new limits; `resources` holds only what changes. Throws with the field that the kernel refused. */
export function updateContainer(home: Home, resources: ResourcesConfig): void {
  if (statusOf(home, storedState(home)) === "stopped") {
    throw new GalleyError("failed_precondition", "container not running", { subject: home.id });
  }
  const path = storedConfig(home).linux?.cgroupsPath ?? "";
  for (const one of planUpdate({ layout: detectCgroups(), path, resources })) write(one);
}

function write({ path, value, cause, tolerate = [] }: CgroupWrite): void {
  try {
    const fd = openSync(path, constants.O_WRONLY);
    try {
      writeSync(fd, value);
    } finally {
      closeSync(fd);
    }
  } catch (failure) {
    const { errno = 0 } = failure as { errno?: number };
    if (tolerate.includes(-errno)) return;
    const { code } = toGalleyError(failure);
    throw new GalleyError(code, `write ${JSON.stringify(value)} to ${path}: ${describeErrno(-errno)}`, {
      subject: cause,
    });
  }
}
