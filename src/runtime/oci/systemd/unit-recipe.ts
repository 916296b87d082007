/** A container's recipe where systemd makes its scope and removes it: what is systemd's to do is left out. */
import { type CgroupLayout, detectCgroups } from "../../../linux/cgroups/detect.ts";
import type { Recipe, Step } from "../../../recipe/recipe.ts";

/**
 * The recipe of the start. A scope that is over before its process is there must not come back as a directory that systemd knows nothing
 * of; and where the start fails, its directories go with the unit, as until then the keeper is in them.
 */
export function startInScope({ sections, ...rest }: Recipe, layout = detectCgroups()): Recipe {
  const { outside = [], cleanup = [] } = sections;
  const isMade = isBelow(ownHierarchies(layout), "make_dirs");
  const made = outside.filter((one) => !isMade(one));
  return {
    ...rest,
    sections: { ...sections, outside: made, cleanup: cleanup.filter(({ op }) => op !== "remove_cgroup") },
  };
}

/**
 * The recipe of the end. The kernel tells systemd that a scope's cgroup is empty some milliseconds later, and never if the cgroup was removed
 * meanwhile: the unit would stay for ever. So it is systemd that removes it.
 */
export function endOfScope({ sections, ...rest }: Recipe, { v2 } = detectCgroups()): Recipe {
  const isLeft = isBelow(v2 === undefined ? [] : [v2.mountPoint], "remove_cgroup");
  return { ...rest, sections: { ...sections, cleanup: (sections.cleanup ?? []).filter((one) => !isLeft(one)) } };
}

/** Where systemd keeps its units; other hierarchies have directories of them where a controller is in use alone. */
function ownHierarchies({ v1, v2 }: CgroupLayout): readonly string[] {
  const named = v1.filter(({ controllers }) => controllers.includes("name=systemd"));
  return [...named, ...(v2 === undefined ? [] : [v2])].map(({ mountPoint }) => mountPoint);
}

/** Whether a step is of that kind, its path below one of those. */
function isBelow(mountPoints: readonly string[], op: Step["op"]): (step: Step) => boolean {
  return (one) => one.op === op && mountPoints.some((top) => String(one.args[0]).startsWith(`${top}/`));
}
