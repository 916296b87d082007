import type { CgroupLayout } from "./detect.ts";
import { type Place, placeOf, placesOf } from "./places.ts";
import type { CgroupAttachment, CgroupJoin } from "./types.ts";

/** How a process gets into a cgroup that is there already: neither limits nor devices are looked at, and no file is read. */
export function planJoin(layout: CgroupLayout, path: string): CgroupJoin {
  return joinOf(placesOf(layout, path));
}

/** What of a container's own directories its processes enter. */
export function joinOf(places: readonly Place[]): CgroupJoin {
  const v2 = placeOf(places, 2, "");
  return {
    ...(v2 === undefined ? {} : { cloneInto: v2.directory }),
    attach: places.filter(({ version }) => version === 1).map(attachment),
  };
}

function attachment({ directory, hierarchy }: Place): CgroupAttachment {
  const cause = `linux.cgroupsPath (${hierarchy.controllers.join()})`;
  return { tasks: `${directory}/tasks`, procs: `${directory}/cgroup.procs`, cause };
}
