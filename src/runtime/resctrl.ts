/** linux.intelRdt: cache, memory bandwidth and their monitoring, by groups of resctrl (runtime-spec config-linux.md, "IntelRdt"). */
import { errno } from "../linux/errno.ts";
import type { ResctrlGroup, ResctrlPlace } from "../linux/resctrl/group.ts";
import { CWD } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import { utf8 } from "./bytes.ts";
import { flag } from "./slots.ts";

/** What a group adds to the recipe of a start. All of it is outside. */
export interface ResctrlSteps {
  /** Before the process is there: groups and their schemata. */
  readonly before: readonly Step[];
  /** After that, before it goes on: it joins them. */
  readonly join: readonly Step[];
  readonly cleanup: readonly Step[];
}

const GROUP = "linux.intelRdt";
const MONITOR = "linux.intelRdt.enableMonitoring";

/** Compiles what {@link group.ts groupOf} has found. */
export function compileResctrl(group: ResctrlGroup): ResctrlSteps {
  const { monitor } = group;
  return {
    before: [
      ...(group.isNew ? [make(group.group, GROUP)] : []),
      ...group.lines.map(({ text, cause }) => writeSchema(group.group, text, cause)),
      ...(monitor === undefined ? [] : [make(monitor, MONITOR)]),
    ],
    join: joinResctrl(group),
    cleanup: [
      ...(monitor === undefined ? [] : [remove(monitor, MONITOR)]),
      ...(group.isOwn ? [remove(group.group, GROUP)] : []),
    ],
  };
}

/**
 * The process made last joins its groups; what it forks is born there. The outside writes its pid: nothing is waited for, as cgroups would.
 * A group that somebody has removed is passed over by an exec, as by runc.
 */
export function joinResctrl({ group, monitor }: ResctrlPlace, mayBeGone = false): Step[] {
  const options = mayBeGone ? { tolerate: [errno.ENOENT] } : {};
  const write = (directory: string, cause: string): Step =>
    step("write_pid", [CWD, `${directory}/tasks`], { cause, ...options });
  return [write(group, GROUP), ...(monitor === undefined ? [] : [write(monitor, MONITOR)])];
}

/** Another container of the same class may have made it just now. */
function make(path: string, cause: string): Step {
  return step("mkdirat", [CWD, path, 0o755], { cause, tolerate: [errno.EEXIST] });
}

/** A line for each write: the kernel says yes or no to each, and so does the error to its field. */
function writeSchema(group: string, line: string, cause: string): Step {
  return step("write_file", [CWD, `${group}/schemata`, utf8(`${line}\n`), flag.O_WRONLY, 0], { cause });
}

/** Who is still in it goes to the group above. */
function remove(path: string, cause: string): Step {
  return step("unlinkat", [CWD, path, flag.AT_REMOVEDIR], { cause, tolerate: [errno.ENOENT] });
}
