import type { CgroupLayout, Hierarchy } from "./detect.ts";
import { cgroupLocation } from "./location.ts";

/** A container's own directory in one hierarchy. */
export interface Place {
  readonly version: 1 | 2;
  readonly hierarchy: Hierarchy;
  readonly directory: string;
}

/** The own directories of `linux.cgroupsPath`, one per hierarchy, v1 first. */
export function placesOf(layout: CgroupLayout, path: string): Place[] {
  const place = (version: 1 | 2, hierarchy: Hierarchy): Place => ({
    version,
    hierarchy,
    directory: cgroupLocation(hierarchy, version, path),
  });
  const v1 = layout.v1.map((hierarchy) => place(1, hierarchy));
  return layout.v2 === undefined ? v1 : [...v1, place(2, layout.v2)];
}

/** The directory that holds a controller in a version; in v2 there is only one. */
export function placeOf(places: readonly Place[], version: 1 | 2, controller: string): Place | undefined {
  return places.find(
    (place) => place.version === version && (version === 2 || place.hierarchy.controllers.includes(controller)),
  );
}
