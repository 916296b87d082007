/** What may be mounted over a container's procfs: else an image's volume would be what the runtime, and the container, take for the kernel's word. */
import { posix } from "node:path";
import type { MountConfig } from "../runtime.ts";
import { isBindMount } from "./mounts.ts";
import { type Check, error, type Problem, type ValidationContext, when } from "./problem.ts";

/** Files that show a container its own share of the machine, as lxcfs makes them. */
const replaceable = [
  "cpuinfo",
  "diskstats",
  "meminfo",
  "stat",
  "swaps",
  "uptime",
  "loadavg",
  "slabinfo",
  "sys/kernel/ns_last_pid",
  "sys/crypto/fips_enabled",
].map((name) => `/proc/${name}`);

/** Nothing but a procfs comes to lie on /proc, and nothing but files of a short list in it (CVE-2019-16884). */
export const procMounts: Check = ({ mounts = [] }, context) =>
  mounts.flatMap((mount, index) => {
    if (!mount.destination.includes("proc")) return [];
    return problems(mount, posix.resolve("/", mount.destination), `mounts[${index}].destination`, context);
  });

/** What a destination is by its name: `/proc` itself, one of the files that may be replaced, or any other. */
export function placeInProc(destination: string): "itself" | "replaceable" | "other" {
  const path = destination.includes("proc") ? posix.resolve("/", destination) : "";
  if (path === "/proc") return "itself";
  return replaceable.includes(path) ? "replaceable" : "other";
}

function problems(mount: MountConfig, path: string, field: string, context: ValidationContext): readonly Problem[] {
  if (path === "/proc") {
    const quoted = JSON.stringify(mount.destination);
    return when(!isProc(mount, context), error(field, `${quoted} cannot be mounted because it is not of type proc`));
  }
  return when(
    path.startsWith("/proc/") && !replaceable.includes(path),
    error(field, `${JSON.stringify(mount.destination)} cannot be mounted because it is inside /proc`),
  );
}

function isProc(mount: MountConfig, { isProcfs }: ValidationContext): boolean {
  return isBindMount(mount) ? isProcfs?.(mount.source ?? "") !== false : mount.type === "proc";
}
