/** Joining a cgroup other than a container's own: one below it, or the one that its first process has gone to. */
import { posix } from "node:path";
import { GalleyError } from "../../errors.ts";
import { type CgroupLayout, cgroupDirectory } from "./detect.ts";
import { joinOf } from "./join.ts";
import { type Place, placesOf } from "./places.ts";
import { tryRead } from "./plan.ts";
import type { TryRead } from "./prepare.ts";
import type { CgroupJoin } from "./types.ts";

/** Paths below a container's own cgroups, by controller; the empty name stands for all of them. */
export type BelowPaths = Readonly<Record<string, string>>;

/**
 * Reads `PATH` or `CONTROLLER[,CONTROLLER…]:PATH`, given once or once for each controller, as runc's `exec --cgroup` has it. Throws
 * `invalid_argument`.
 */
export function parseBelowPaths(given: readonly string[]): BelowPaths {
  const paths: Record<string, string> = {};
  for (const text of given) {
    const colon = text.indexOf(":");
    if (colon < 0 && given.length > 1) throw invalid(`${text} (missing <controller>: prefix)`);
    for (const controller of colon < 0 ? [""] : text.slice(0, colon).split(",")) {
      if (controller === "" && colon >= 0) throw invalid(`${text} (empty <controller> prefix)`);
      if (Object.hasOwn(paths, controller)) throw invalid(`controller ${controller} specified multiple times`);
      paths[controller] = text.slice(colon + 1);
    }
  }
  return paths;
}

function invalid(what: string): GalleyError {
  return new GalleyError("invalid_argument", `invalid --cgroup argument: ${what}`);
}

/** How a process gets into these. Throws `invalid_argument` for a controller that is not there and for a path that leads out. */
export function planJoinBelow(layout: CgroupLayout, path: string, below: BelowPaths): CgroupJoin {
  const places = placesOf(layout, path);
  const names = new Set(places.flatMap(namesOf));
  const unknown = Object.keys(below).find((name) => name !== "" && !names.has(name));
  if (unknown !== undefined) throw new GalleyError("invalid_argument", `unknown controller ${unknown} in --cgroup`);
  const { attach, ...join } = joinOf(places.map((place) => placeBelow(place, below)));
  const cause = "error adding pid of the process to cgroups (--cgroup)";
  return { ...join, cause, attach: attach.map((one) => ({ ...one, cause })) };
}

function namesOf({ version, hierarchy: { controllers } }: Place): readonly string[] {
  return version === 1 ? [...controllers, ...controllers.map((name) => name.replace(/^name=/, ""))] : [];
}

function placeBelow(place: Place, below: BelowPaths): Place {
  const name = namesOf(place).find((one) => below[one] !== undefined) ?? "";
  const path = below[name];
  if (path === undefined) return place;
  const directory = posix.join(place.directory, path, ".");
  const inside = directory === place.directory || directory.startsWith(`${place.directory}/`);
  if (inside) return { ...place, directory };
  throw new GalleyError("invalid_argument", `bad sub cgroup path: ${path}`);
}

/** Controllers of v2 that leave a cgroup its processes when it hands them on ("Threads" in cgroup-v2.rst). */
const threaded = new Set(["cpu", "cpuset", "perf_event", "pids"]);

/**
 * With v2 alone a container that shares its cgroup out to cgroups of its own can take no more processes, and one that may write
 * anywhere may have left: then a new process joins the first one where that is. Undefined: the container's own cgroup takes it, as
 * it does still when all below are threaded.
 * @param pid of the container's first process
 */
export function planJoinFirst(
  layout: CgroupLayout,
  path: string,
  pid: number,
  read: TryRead = tryRead,
): CgroupJoin | undefined {
  const own = placesOf(layout, path).at(-1);
  if (layout.mode !== "v2" || own === undefined) return undefined;
  const shared = read(`${own.directory}/cgroup.subtree_control`)?.split(/\s+/).filter(Boolean);
  if (shared?.length === 0) return undefined;
  const line = (read(`/proc/${pid}/cgroup`) ?? "").split("\n").find((one) => one.startsWith("0::"));
  if (line === undefined) return undefined;
  const first = cgroupDirectory(own.hierarchy, line.slice("0::".length));
  const isRoot = shared?.every((name) => threaded.has(name)) && read(`${first}/cgroup.type`) === "threaded\n";
  return first === own.directory || isRoot ? undefined : { cloneInto: first, attach: [] };
}
