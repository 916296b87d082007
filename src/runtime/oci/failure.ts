import { GalleyError } from "../../errors.ts";
import { describeErrno, errno, errnoText } from "../../linux/errno.ts";
import type { Recipe, Step } from "../../recipe/recipe.ts";
import type { StepFailure } from "../../recipe/report.ts";

/** What a failed step means to the user of a runtime: the setting behind it, and what the kernel said. */
export function stepFailure(recipe: Recipe, failure: StepFailure, op: string): GalleyError {
  // In runc's words, which managers look for, an exec starts its process too.
  const verb = op === "create" || op === "exec" ? "start" : op;
  const step = recipe.sections[failure.section]?.[failure.step];
  const what =
    step === undefined ? `the native program refused to start: ${describeErrno(failure.errno)}` : said(step, failure);
  const hint = hintOf(step, failure);
  const details = hint === undefined ? {} : { hint };
  return new GalleyError("failed_precondition", `unable to ${verb} container process: ${what}`, details);
}

/** The inside ended at this step without having failed: somebody has killed it, and that is the kernel when memory runs out. */
function isKilled({ section, errno: error }: StepFailure): boolean {
  return section === "inside" && error === errno.ECANCELED;
}

function hintOf(step: Step | undefined, failure: StepFailure): string | undefined {
  if (step === undefined) return undefined;
  if (isKilled(failure)) return "container init was OOM-killed, or ended by another process (memory limit too low?)";
  const { hintFor } = require("./hints.ts") as typeof import("./hints.ts");
  return hintFor(step, failure.errno);
}

function said(step: Step, { errno: error, note }: StepFailure): string {
  if (step.cause.startsWith("linux.intelRdt")) return saidOfResctrl(step, error);
  if (step.op === "run_hook") return saidOfHook(step, error, note);
  if (step.op === "map_ids") return saidOfMapper(step, error, note);
  if (step.op === "exec" || step.op === "check_exec") return execFailure(step, error);
  if (step.op === "try_chdir" || step.op === "retry_chdir")
    return `chdir to cwd (${JSON.stringify(step.args[0])}) set in config.json failed: ${errnoText(error).toLowerCase()}`;
  if (step.op === "write_file" && step.cause === "process.apparmorProfile")
    return `unable to apply apparmor profile: apparmor failed to apply profile: write /proc/thread-self/${String(step.args[1])}: ${errnoText(error).toLowerCase()}`;
  if (step.op === "write_file" && step.cause === "process.selinuxLabel")
    return `${step.cause}: write /proc/thread-self/${String(step.args[1])}: ${errnoText(error).toLowerCase()}`;
  if (step.op === "check_cwd")
    return "current working directory is outside of container mount namespace root -- possible container breakout detected";
  if (step.op === "sched_setattr" && error === errno.EPERM && step.cause.includes("cpus"))
    return `${step.cause}: process scheduler can't be used together with AllowedCPUs`;
  if (step.op === "send_state")
    return `failed to connect with seccomp agent specified in the seccomp profile: ${step.args[0]}: ${describeErrno(error)}`;
  if (step.op === "make_dirs")
    return `unable to apply cgroup configuration: ${step.cause}: mkdir ${step.args[0]}: ${errnoText(error).toLowerCase()}`;
  return `${step.cause}: ${step.op}: ${describeErrno(error)}`;
}

function saidOfResctrl({ op, cause, args: [, path, text] }: Step, errno: number): string {
  const { resctrlRefusal } = require("./resctrl-refusal.ts") as typeof import("./resctrl-refusal.ts");
  const refused = {
    path: String(path),
    errno,
    ...(text instanceof Uint8Array ? { text: new TextDecoder().decode(text) } : {}),
  };
  return `${cause}: ${resctrlRefusal({ op: op as "mkdirat" | "write_file" | "write_pid", ...refused })}`;
}

function saidOfHook({ cause, args: [path, , , , , timeout] }: Step, error: number, note: StepFailure["note"]): string {
  const { placeOfHook, hookSentence, endOfStep } = require("./hook-failure.ts") as typeof import("./hook-failure.ts");
  const hook = { path: String(path), timeout: Number(timeout) / 1000 };
  const place = placeOfHook(cause) ?? { kind: cause, index: 0 };
  return hookSentence(place, hook, endOfStep(error, note), note);
}

/** It has said itself what was wrong, where it was there. */
function saidOfMapper({ cause, args: [, file, , program] }: Step, error: number, note: StepFailure["note"]): string {
  const said = note?.stderr.trim() || note?.stdout.trim() || errnoText(error).toLowerCase();
  if (error === errno.ENOENT) return `${cause}: failed to use ${program}: executable file not found in $PATH`;
  return error === errno.ECHILD ? `${cause}: failed to use ${program}: ${said}` : `${cause}: write ${file}: ${said}`;
}

/** In Go's words, which managers look for. */
function execFailure({ op, args: [first] }: Step, error: number): string {
  const command =
    first instanceof Uint8Array ? (new TextDecoder().decode(first).split("\0", 1)[0] ?? "") : String(first);
  const missing = error === errno.ENOENT;
  if ((missing || error === errno.EACCES) && op === "check_exec" && !command.includes("/"))
    return `exec: ${JSON.stringify(command)}: executable file not found in $PATH`;
  // It was there when it was looked for: what is missing is what it needs.
  if (op === "exec") return `exec ${command}: ${errnoText(error).toLowerCase()}`;
  // Managers exit with 126 for either word: older ones look for the second, which Go said of directories until its version 1.20.
  if (error === errno.EISDIR) return `exec: ${JSON.stringify(command)}: is a directory: permission denied`;
  const text = missing ? `stat ${command}: no such file or directory` : errnoText(error).toLowerCase();
  return `exec: ${JSON.stringify(command)}: ${text}`;
}
