import { readFileSync } from "node:fs";
import { parseGroup, parsePasswd } from "../../linux/users.ts";
import type { TopResult } from "../types.ts";
import { containerProcesses } from "./container-processes.ts";
import { momentOf, processFacts } from "./process-facts.ts";
import type { ColumnContext } from "./top-columns.ts";
import { readPsOptions } from "./top-options.ts";

/** The container to be looked into. */
export interface TopInput {
  /** As `linux.cgroupsPath`. */
  readonly cgroupPath: string;
  /** Its first process, in the caller's pid namespace. */
  readonly pid: number;
  /** ps(1)'s options; none are docker's `-ef`. */
  readonly options?: readonly string[];
}

/**
 * The processes of a running container, as ps(1) on the host would show them: with the host's numbers, and users by the host's names.
 * Throws `invalid_argument` for options and columns that are not known, and where the process's number is not among the columns.
 */
export function topOf(input: TopInput): TopResult {
  const chosen = readPsOptions(input.options ?? []);
  const context: ColumnContext = { ...momentOf(), ...hostNames() };
  const processes = containerProcesses(input.cgroupPath, input.pid).flatMap((pid) => {
    const facts = processFacts(pid, context);
    return facts === undefined ? [] : [chosen.map(({ show }) => show(facts, context))];
  });
  return { titles: chosen.map(({ heading }) => heading), processes };
}

/** What ps(1) gives a name. */
const NAME_WIDTH = 8;

function hostNames(): Pick<ColumnContext, "userName" | "groupName"> {
  const users = new Map(
    parsePasswd(readText("/etc/passwd"))
      .toReversed()
      .map(({ uid, name }) => [uid, name]),
  );
  const groups = new Map(
    parseGroup(readText("/etc/group"))
      .toReversed()
      .map(({ gid, name }) => [gid, name]),
  );
  return {
    userName: (uid) => shorten(users.get(uid) ?? String(uid)),
    groupName: (gid) => shorten(groups.get(gid) ?? String(gid)),
  };
}

function shorten(name: string): string {
  return name.length > NAME_WIDTH ? `${name.slice(0, NAME_WIDTH - 1)}+` : name;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
