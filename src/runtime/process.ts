import { GalleyError } from "../errors.ts";
import { type CapabilityPlan, planCapabilities } from "../linux/capabilities.ts";
import { errno } from "../linux/errno.ts";
import { rlimitNumber, rlimitValue } from "../linux/rlimits.ts";
import { stringList } from "../recipe/encode.ts";
import { resolveKind } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { LinuxConfig, ProcessConfig } from "../spec/runtime.ts";
import { utf8 } from "./bytes.ts";
import { inUserNamespace, mapsOthers } from "./id-maps.ts";
import type { Labels } from "./labels.ts";
import { flag, slot } from "./slots.ts";
import type { Managed } from "./types.ts";

/** prctl(2), capabilities(7). */
const PR_SET_KEEPCAPS = 8;
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_RAISE = 2;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
const KEYCTL_JOIN_SESSION_KEYRING = 1;

/** What becomes of the process once it stands in its root: everything but its streams and the final exec. */
export interface ProcessSteps {
  /** First of all, in the host's root. */
  readonly open: readonly Step[];
  /** While still privileged: limits, keyring, scheduling. */
  readonly privileged: readonly Step[];
  /** Capabilities and user, behind the seccomp filter where that needs a privilege. */
  readonly credentials: readonly Step[];
  /** The filter where it needs no privilege: the less is left to do, the narrower it may be. */
  readonly filter: readonly Step[];
  /** Whether there is such a program at all, for who wants to know before the exec. */
  readonly check: readonly Step[];
  readonly exec: readonly Step[];
}

/** The session keyring of a container, by its ID; `isNew`: of its first process. */
export interface Keyring {
  readonly id: string;
  readonly isNew: boolean;
}

/**
 * @param filter the step that loads the seccomp filter, where there is one
 * @param managed what its manager wants: no session keyring of its own, descriptors that it has
 * @param ring absent: one that nobody else joins
 */
export function compileProcess(
  process: ProcessConfig,
  linux: LinuxConfig,
  filter: readonly Step[],
  managed: Managed = {},
  ring?: Keyring,
): ProcessSteps {
  const { keepKeyring = false, preserved = 0, isNested = false } = managed;
  const mapsGroups = mapsOthers(linux.gidMappings, managed.maker?.gid);
  const guarded = process.noNewPrivileges === true;
  const labels = labelsOf(process);
  return {
    open: labels?.open ?? [],
    privileged: [
      ...limits(process),
      ...(labels?.apply ?? []),
      ...(keepKeyring ? [] : keyring(linux, ring)),
      ...scheduling(process, linux),
      step("try_chdir", [process.cwd], { cause: "process.cwd" }),
      closeOnExec(preserved),
    ],
    credentials: [
      ...(guarded ? noNewPrivileges() : filter),
      ...credentials(process, { keeps: managed.unprivileged === true && !mapsGroups, maybe: isNested || mapsGroups }),
    ],
    filter: guarded ? filter : [],
    check: [step("check_exec", [process.args[0] ?? "", searchPath(process)], { cause: "process.args" })],
    exec: [execStep(process)],
  };
}

/** Outside, once the process is there. It holds /proc/PID open, as the process itself may not lower its score. */
export function oomScore(adjust: number | undefined): Step[] {
  if (adjust === undefined) return [];
  const cause = "process.oomScoreAdj";
  return [
    step("open_proc", [], { out: slot.proc, cause }),
    step("write_file", [slot.proc, "oom_score_adj", utf8(String(adjust)), flag.O_WRONLY, 0], { cause }),
  ];
}

/** Makes a missing working directory, as every runtime does; before the root may become read-only. */
export function makeWorkingDirectory(process: ProcessConfig): Step[] {
  if (process.cwd === "/") return [];
  if (!process.cwd.startsWith("/")) {
    throw new GalleyError("invalid_argument", "must be an absolute path", { subject: "process.cwd" });
  }
  const cause = "process.cwd";
  return [step("resolve", [slot.root, process.cwd, resolveKind.directory, 0o755], { out: slot.target, cause })];
}

/** Few containers have any of it. */
function scheduling(process: ProcessConfig, linux: LinuxConfig): Step[] {
  const parts = [process.scheduler, process.ioPriority, linux.personality, linux.memoryPolicy];
  if (parts.every((part) => part === undefined)) return [];
  const { compileScheduling } = require("./scheduling.ts") as typeof import("./scheduling.ts");
  return compileScheduling(process, linux);
}

function labelsOf(process: ProcessConfig): Labels | undefined {
  if (!process.apparmorProfile && !process.selinuxLabel) return undefined;
  const { compileLabels } = require("./labels.ts") as typeof import("./labels.ts");
  return compileLabels(process);
}

function limits(process: ProcessConfig): Step[] {
  return (process.rlimits ?? []).map(({ type, soft, hard }, index) => {
    const cause = `process.rlimits[${index}] (${type})`;
    const resource = rlimitNumber(type);
    if (resource === undefined) throw new GalleyError("invalid_argument", "unknown resource limit", { subject: cause });
    const [softValue, hardValue] = [rlimitValue(soft), rlimitValue(hard)];
    if (softValue <= hardValue) return step("setrlimit", [resource, softValue, hardValue], { cause });
    throw new GalleyError("invalid_argument", `the soft limit ${soft} is above the hard limit ${hard}`, {
      subject: cause,
    });
  });
}

/** What a new keyring has (keyrings(7)), and that it may be searched by its user, or from a user namespace by others: else no exec would find it. */
const NEW_KEYRING = 0x3f13_0000;
const USER_SEARCH = 0x8_0000;
const OTHER_SEARCH = 0x8;

/**
 * A session keyring of its own: keys of the caller stay with the caller. It has the container's name, as runc's, by which execs join it.
 * Not every kernel or sandbox has keyrings.
 */
function keyring(linux: LinuxConfig, ring?: Keyring): Step[] {
  const options = { cause: "session keyring", tolerate: [errno.ENOSYS, errno.EPERM] };
  if (ring === undefined) return [step("keyctl", [KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0], options)];
  const search = inUserNamespace(linux) ? OTHER_SEARCH : USER_SEARCH;
  return [step("join_keyring", [`_ses.${ring.id}`, ring.isNew ? NEW_KEYRING | search : 0], options)];
}

function noNewPrivileges(): Step[] {
  return [step("prctl", [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0], { cause: "process.noNewPrivileges" })];
}

/** Whether a process must keep its maker's supplementary groups, or may have to: where its user namespace allows no setgroups(2). */
interface Groups {
  readonly keeps: boolean;
  readonly maybe: boolean;
}

function credentials(process: ProcessConfig, groupsOf: Groups): Step[] {
  const { uid, gid, umask, additionalGids = [] } = process.user;
  checkIds(process.user);
  const plan = planCapabilities(process.capabilities ?? {});
  const groups = new Uint8Array(new Uint32Array(additionalGids).buffer);
  const asked = additionalGids.length > 0;
  const cause = "process.user.additionalGids";
  const options = groupsOf.maybe && !asked ? { cause, tolerate: [errno.EPERM] } : { cause };
  return [
    ...dropBounding(plan),
    step("prctl", [PR_SET_KEEPCAPS, 1, 0, 0, 0], { cause: "process.capabilities" }),
    ...(groupsOf.keeps && !asked ? [] : [step("setgroups", [additionalGids.length, groups], options)]),
    step("setresgid", [gid, gid, gid], { cause: "process.user.gid" }),
    step("setresuid", [uid, uid, uid], { cause: "process.user.uid" }),
    ...directory(process.cwd),
    ...setCapabilities(plan),
    step("umask", [umask ?? 0o022], { cause: "process.user.umask" }),
  ];
}

/** The largest number stands for "no change" in every call that takes one. */
const NO_ID = 0xffff_ffff;

function checkIds({ uid, gid, additionalGids = [] }: ProcessConfig["user"]): void {
  const fields = [["uid", uid], ["gid", gid], ...additionalGids.map((id) => ["additionalGids", id] as const)] as const;
  for (const [name, id] of fields) {
    if (Number.isInteger(id) && id >= 0 && id < NO_ID) continue;
    throw new GalleyError("invalid_argument", `${id} is no ID: use 0 to ${NO_ID - 1}`, {
      subject: `process.user.${name}`,
    });
  }
}

/** Absent capabilities mean none at all (runtime-spec config.md, "Linux Process"). */
function dropBounding(plan: CapabilityPlan): Step[] {
  const cause = "process.capabilities.bounding";
  return plan.boundingDrops.map((number) =>
    step("prctl", [PR_CAPBSET_DROP, number, 0, 0, 0], { cause, tolerate: [errno.EINVAL] }),
  );
}

function setCapabilities(plan: CapabilityPlan): Step[] {
  const cause = "process.capabilities.ambient";
  return [
    step("capset", [plan.header, plan.data], { cause: "process.capabilities" }),
    step("prctl", [PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0], { cause }),
    ...plan.ambient.map((number) => step("prctl", [PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0], { cause })),
  ];
}

/**
 * Root may enter what its user may not, and the other way round where root is one of a user namespace: both try. The check keeps a
 * leaked directory of the host out (CVE-2024-21626).
 */
function directory(cwd: string): Step[] {
  return [step("retry_chdir", [cwd], { cause: "process.cwd" }), step("check_cwd", [], { cause: "process.cwd" })];
}

/** What is opened later is closed by exec from the start; a filter may refuse this call. */
function closeOnExec(preserved: number): Step {
  const cause = "no descriptor of ours reaches the command";
  return step("close_range", [3 + preserved, 0xffff_ffff, flag.CLOSE_RANGE_CLOEXEC], { cause });
}

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function execStep(process: ProcessConfig): Step {
  if (process.args.length === 0) {
    throw new GalleyError("invalid_argument", "there is no command to run", { subject: "process.args" });
  }
  const env = stringList(process.env ?? []);
  return step("exec", [stringList(process.args), env, searchPath(process)], { cause: "process.args" });
}

function searchPath({ env = [] }: ProcessConfig): string {
  return env.findLast((entry) => entry.startsWith("PATH="))?.slice("PATH=".length) ?? DEFAULT_PATH;
}
