import { readFileSync, realpathSync } from "node:fs";
import { GalleyError } from "../../errors.ts";
import { unescapeOctal } from "../../linux/cgroups/detect.ts";
import type { MountRequest } from "../types.ts";

/**
 * Mounts spread between host and container only where the mount that holds the bind's source lets them: what was asked for would
 * silently not happen. Throws `failed_precondition` in docker's words.
 */
export function checkPropagation(
  source: string,
  propagation: MountRequest["propagation"],
  mountinfo: () => string = () => readFileSync("/proc/self/mountinfo", "utf8"),
): void {
  if (propagation === undefined || propagation.endsWith("private")) return;
  const { point, shared, slave } = mountAround(realpathSync(source), mountinfo());
  const wanted = propagation.endsWith("shared") ? "shared" : "shared or slave";
  if (shared || (slave && wanted !== "shared")) return;
  throw new GalleyError(
    "failed_precondition",
    `path ${source} is mounted on ${point} but it is not a ${wanted} mount`,
    {
      hint: `on the host: mount --make-${wanted === "shared" ? "shared" : "rshared"} ${point}`,
    },
  );
}

interface Mount {
  readonly point: string;
  readonly shared: boolean;
  readonly slave: boolean;
}

/** The mount that a path lies in; of two on one place the later one (proc_pid_mountinfo(5): field 5, and fields 7 up to the dash). */
function mountAround(path: string, mountinfo: string): Mount {
  let found: Mount = { point: "/", shared: false, slave: false };
  for (const line of mountinfo.split("\n")) {
    const fields = line.split(" ");
    const point = unescapeOctal(fields[4] ?? "");
    const holds = point === "/" || path === point || path.startsWith(`${point}/`);
    if (point === "" || !holds || point.length < found.point.length) continue;
    const options = fields.slice(6, fields.indexOf("-"));
    found = {
      point,
      shared: options.some((option) => option.startsWith("shared:")),
      slave: options.some((option) => option.startsWith("master:")),
    };
  }
  return found;
}
