import { existsSync, readFileSync } from "node:fs";
import { type CgroupLayout, detectCgroups, ownDirectory, v1HierarchyOf } from "../../linux/cgroups/detect.ts";
import { parseKernelList } from "./kernel-list.ts";

/** Limits that not every kernel has. */
export type Ability = "swap" | "blkioWeight" | "swappiness" | "oomKillDisable";

/** What the machine has to be limited. Looked at only where a limit is asked for. */
export interface LimitFacts {
  cpus(): readonly number[];
  memoryNodes(): readonly number[];
  has(ability: Ability): boolean;
}

const v1Files: Readonly<Record<Ability, readonly (readonly [controller: string, file: string])[]>> = {
  swap: [["memory", "memory.memsw.limit_in_bytes"]],
  swappiness: [["memory", "memory.swappiness"]],
  oomKillDisable: [["memory", "memory.oom_control"]],
  blkioWeight: [
    ["blkio", "blkio.weight"],
    ["blkio", "blkio.bfq.weight"],
  ],
};

/** The running machine's. */
export function limitFacts(): LimitFacts {
  let layout: CgroupLayout | undefined;
  return {
    cpus: () => readList("/sys/devices/system/cpu/online"),
    memoryNodes: () => readList("/sys/devices/system/node/online"),
    has(ability) {
      layout ??= detectCgroups();
      return hasAbility(layout, ability);
    },
  };
}

/** Machines without memory nodes have one all the same. */
function readList(path: string): readonly number[] {
  try {
    return parseKernelList(readFileSync(path, "utf8"));
  } catch {
    return [0];
  }
}

/** Version 2 has neither swappiness nor a switch for the OOM killer; the writes of its other limits see to themselves. */
function hasAbility(layout: CgroupLayout, ability: Ability): boolean {
  const files = v1Files[ability];
  if (v1HierarchyOf(layout, files[0]?.[0] ?? "") === undefined) {
    if (ability === "swap") return existsSync("/proc/swaps") && layout.v2 !== undefined;
    return ability === "blkioWeight" && layout.v2?.controllers.includes("io") === true;
  }
  return files.some(([controller, file]) => {
    const hierarchy = v1HierarchyOf(layout, controller);
    return hierarchy !== undefined && existsSync(`${ownDirectory(hierarchy)}/${file}`);
  });
}
