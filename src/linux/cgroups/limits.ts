/** Finds for each part of the resources the hierarchy that can hold it, and the writes that make it hold. */
import { GalleyError } from "../../errors.ts";
import type { ResourcesConfig } from "../../spec/runtime.ts";
import type { CgroupLayout } from "./detect.ts";
import type { ReadCurrent } from "./limit-write.ts";
import type { FileWrite } from "./types.ts";
import { v1Limits } from "./v1-limits.ts";
import { v2Limits } from "./v2-limits.ts";

interface Controller {
  /** The part of the resources that it limits. */
  readonly part: keyof ResourcesConfig;
  readonly v1: string;
  readonly v2?: string;
}

/** Controllers by their names in the two versions; the order is that of the writes. */
const controllers: readonly Controller[] = [
  { part: "cpu", v1: "cpuset", v2: "cpuset" },
  { part: "memory", v1: "memory", v2: "memory" },
  { part: "cpu", v1: "cpu", v2: "cpu" },
  { part: "pids", v1: "pids", v2: "pids" },
  { part: "blockIO", v1: "blkio", v2: "io" },
  { part: "hugepageLimits", v1: "hugetlb", v2: "hugetlb" },
  { part: "rdma", v1: "rdma", v2: "rdma" },
  { part: "network", v1: "net_cls" },
  { part: "network", v1: "net_prio" },
];

/** The writes for one controller in the version that has it. */
export interface ControllerLimits {
  readonly version: 1 | 2;
  readonly controller: string;
  readonly writes: readonly FileWrite[];
}

/** Reads a file of the cgroup's directory for a controller; undefined where there is none. */
export type ReadIn = (version: 1 | 2, controller: string) => ReadCurrent;

/**
 * All limits of the resources. Controllers without a limit are left out. Throws `failed_precondition` where a limit's controller
 * is not to be had, and `invalid_argument` where values contradict each other.
 */
export function resourceLimits(resources: ResourcesConfig, layout: CgroupLayout, readIn: ReadIn): ControllerLimits[] {
  const found: ControllerLimits[] = [];
  for (const one of controllers) {
    const limits = resources[one.part] === undefined ? undefined : controllerLimits(one, resources, layout, readIn);
    if (limits !== undefined && limits.writes.length > 0) found.push(limits);
  }
  if (resources.unified !== undefined) found.push(...unifiedLimits(resources.unified, layout));
  return found;
}

function controllerLimits(
  names: Controller,
  resources: ResourcesConfig,
  layout: CgroupLayout,
  readIn: ReadIn,
): ControllerLimits | undefined {
  const version = versionOf(names, layout);
  const controller = version === 2 ? (names.v2 ?? names.v1) : names.v1;
  const limits = version === 2 ? v2Limits[controller] : v1Limits[controller];
  const writes = limits?.(resources, version === undefined ? () => undefined : readIn(version, controller)) ?? [];
  if (version !== undefined) return { version, controller, writes };
  const first = writes[0];
  if (first === undefined) return undefined;
  throw unavailable(names.v1, first.cause);
}

function versionOf(names: Controller, layout: CgroupLayout): 1 | 2 | undefined {
  if (layout.v1.some((hierarchy) => hierarchy.controllers.includes(names.v1))) return 1;
  return names.v2 !== undefined && layout.v2?.controllers.includes(names.v2) ? 2 : undefined;
}

function unavailable(controller: string, field: string): GalleyError {
  return new GalleyError("failed_precondition", `the cgroup controller ${controller} is not available`, {
    subject: field,
    hint: "leave the limit out, or enable the controller (cgroup.controllers, /proc/cgroups)",
  });
}

/** `unified`: file names of v2 with their contents, written as they are, line by line. */
function unifiedLimits(unified: Readonly<Record<string, string>>, layout: CgroupLayout): ControllerLimits[] {
  return Object.entries(unified).map(([file, value]) => {
    const cause = `linux.resources.unified[${file}]`;
    const controller = unifiedController(file, cause);
    if (layout.v2 === undefined || layout.mode !== "v2") {
      throw new GalleyError("failed_precondition", "unified resources need cgroup v2", { subject: cause });
    }
    if (controller !== "cgroup" && !layout.v2.controllers.includes(controller)) throw unavailable(controller, cause);
    const lines = value.split("\n").filter((line) => line !== "");
    return { version: 2 as const, controller, writes: lines.map((line) => ({ file, value: line, cause })) };
  });
}

function unifiedController(file: string, subject: string): string {
  const dot = file.indexOf(".");
  if (!file.includes("/") && dot > 0 && dot < file.length - 1) return file.slice(0, dot);
  const message = "must be a file name of the form CONTROLLER.PARAMETER, without slashes";
  throw new GalleyError("invalid_argument", message, { subject });
}
