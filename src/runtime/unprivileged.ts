/** What is otherwise for a maker without privileges: user_namespaces(7), setns(2). */
import { type Step, step } from "../recipe/recipe.ts";
import type { LinuxConfig } from "../spec/runtime.ts";
import { utf8 } from "./bytes.ts";
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

/** The maps of a new user namespace can be written by its maker: a group's only once groups can be changed no more. */
export function withoutPrivileges(namespaces: Namespaces): Namespaces {
  if (!namespaces.isNew("user")) return namespaces;
  const path = [slot.proc, "setgroups", utf8("deny"), flag.O_WRONLY, 0] as const;
  const deny = step("write_file", [...path], { cause: "linux.gidMappings" });
  const { before, idMaps, join } = namespaces;
  return {
    ...namespaces,
    before: [...before, dumpable(1)],
    idMaps: idMaps.flatMap((one) => (one.args[1] === "gid_map" ? [dumpable(0), deny, one] : [one])),
    join: join.flatMap((one) => (one.op === "wait" ? [one, dumpable(0)] : [one])),
  };
}

/** Without a user namespace, where that is entered already: it is entered before all that it owns. */
export function withoutUser(linux: LinuxConfig): LinuxConfig {
  return { ...linux, namespaces: (linux.namespaces ?? []).filter(({ type }) => type !== "user") };
}
