/** What is otherwise for a maker without privileges: user_namespaces(7), setns(2). */
import { stringList } from "../recipe/encode.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { IdMapping, LinuxConfig } from "../spec/runtime.ts";
import { utf8 } from "./bytes.ts";
import { type HostIds, mapLines, mapsOthers } from "./id-maps.ts";
import type { Namespaces } from "./namespaces.ts";
import { flag, slot } from "./slots.ts";

const PR_SET_DUMPABLE = 4;

/**
 * Files of a process that is not dumpable belong to root (proc(5)), and could not be written by who has no privilege. Until its maps are
 * there the process has joined nothing and holds nothing that is not its maker's own.
 */
function dumpable(value: 0 | 1): Step {
  return step("prctl", [PR_SET_DUMPABLE, value, 0, 0, 0], { cause: "linux.uidMappings" });
}

/**
 * The maps of a new user namespace can be written by its maker where they have his own ID alone: a group's only once groups can be
 * changed no more. Those with others' are written by newuidmap(1) and newgidmap(1), which leave groups as they are.
 */
export function withoutPrivileges(namespaces: Namespaces, linux: LinuxConfig, maker?: HostIds): Namespaces {
  if (!namespaces.isNew("user")) return namespaces;
  const { before, idMaps, join } = namespaces;
  const { uidMappings = [], gidMappings = [] } = linux;
  const uids = mapsOthers(uidMappings, maker?.uid) ? mapIds("uid_map", uidMappings, "newuidmap") : undefined;
  const gids = mapsOthers(gidMappings, maker?.gid) ? mapIds("gid_map", gidMappings, "newgidmap") : undefined;
  return {
    ...namespaces,
    before: [...before, dumpable(1)],
    idMaps: idMaps.flatMap((one) => {
      if (one.args[1] === "uid_map") return [uids ?? one];
      if (one.args[1] === "gid_map") return gids === undefined ? [dumpable(0), denyGroups(), one] : [dumpable(0), gids];
      return [one];
    }),
    join: join.flatMap((one) => (one.op === "wait" ? [one, dumpable(0)] : [one])),
  };
}

function denyGroups(): Step {
  const path = [slot.proc, "setgroups", utf8("deny"), flag.O_WRONLY, 0] as const;
  return step("write_file", [...path], { cause: "linux.gidMappings" });
}

const USUAL_PATH = "/usr/local/bin:/usr/bin:/bin";

function mapIds(file: "uid_map" | "gid_map", mappings: readonly IdMapping[], program: string): Step {
  const cause = file === "uid_map" ? "linux.uidMappings" : "linux.gidMappings";
  const ranges = mappings.flatMap(({ containerID, hostID, size }) => [containerID, hostID, size].map(String));
  const search = process.env.PATH || USUAL_PATH;
  return step("map_ids", [slot.proc, file, utf8(mapLines(mappings)), program, stringList(ranges), search], { cause });
}

/** Without a user namespace, where that is entered already: it is entered before all that it owns. */
export function withoutUser(linux: LinuxConfig): LinuxConfig {
  return { ...linux, namespaces: (linux.namespaces ?? []).filter(({ type }) => type !== "user") };
}
