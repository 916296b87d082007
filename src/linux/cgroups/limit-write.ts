import type { ResourcesConfig } from "../../spec/runtime.ts";
import { decimal } from "./convert.ts";
import type { FileWrite } from "./types.ts";

/** Reads a file of the cgroup; undefined where there is none, as in a cgroup yet to be made. */
export type ReadCurrent = (file: string) => string | undefined;

/** One controller's share of the resources, as writes in the order that the kernel needs. */
export type Limits = (resources: ResourcesConfig, current: ReadCurrent) => FileWrite[];

/** Zero is "not set" for the fields where the kernel has no use for it, as runc and the engines mean it. */
export function isSet(value: number | undefined): value is number {
  return value !== undefined && value !== 0;
}

/** A write for the field `linux.resources.<field>`. */
export function limitWrite(
  file: string,
  value: number | string,
  field: string,
  tolerate?: readonly number[],
): FileWrite {
  const text = typeof value === "number" ? decimal(value) : value;
  return { file, value: text, cause: `linux.resources.${field}`, ...(tolerate === undefined ? {} : { tolerate }) };
}
