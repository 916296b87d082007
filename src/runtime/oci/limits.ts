import { closeSync, constants, openSync, writeSync } from "node:fs";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { detectCgroups } from "../../linux/cgroups/detect.ts";
import { planDeviceFilter } from "../../linux/cgroups/plan.ts";
import type { CgroupWrite, DeviceFilter } from "../../linux/cgroups/types.ts";
import { planUpdate } from "../../linux/cgroups/update.ts";
import { describeErrno } from "../../linux/errno.ts";
import { encode } from "../../recipe/encode.ts";
import { CWD } from "../../recipe/ops.ts";
import { step } from "../../recipe/recipe.ts";
import { runRecipe } from "../../recipe/run.ts";
import type { ResourcesConfig } from "../../spec/runtime.ts";
import { slot } from "../slots.ts";

/** A cgroup in use. */
export interface UsedCgroup {
  /** As `linux.cgroupsPath`. */
  readonly path: string;
  /** Path of the native program, which replaces device programs. */
  readonly native: string;
}

/** Writes new limits to a cgroup. Throws with the field that the kernel refused. */
export async function writeLimits({ path, native }: UsedCgroup, resources: ResourcesConfig): Promise<void> {
  const request = { layout: detectCgroups(), path, resources };
  for (const one of planUpdate(request)) write(one);
  const filter = resources.devices === undefined ? undefined : planDeviceFilter(request);
  if (filter !== undefined) await replaceFilter(filter, native);
}

async function replaceFilter({ directory, instructions, cause }: DeviceFilter, native: string): Promise<void> {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY;
  const outside = [
    step("openat", [CWD, directory, flags, 0], { out: slot.cgroup, cause }),
    step("replace_device_filter", [slot.cgroup, instructions], { cause }),
  ];
  const { failure } = await runRecipe(native, encode({ sections: { outside } }));
  if (failure === undefined) return;
  const message = `replace the device program of ${directory}: ${describeErrno(failure.errno)}`;
  throw new GalleyError("failed_precondition", message, { subject: cause });
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
