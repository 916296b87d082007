/**
 * The compiler: an OCI configuration to the recipe of a container's start. This file is the order of things and its reasons;
 * each part is in a file of its own.
 */
import { errno } from "../linux/errno.ts";
import { NONE } from "../recipe/ops.ts";
import { type Recipe, type Step, step } from "../recipe/recipe.ts";
import type { RuntimeConfig } from "../spec/runtime.ts";
import { type CgroupSteps, compileCgroup } from "./cgroup.ts";
import { compileDevices, ownsDev } from "./devices.ts";
import { type HostFacts, hostFacts } from "./host.ts";
import { compileMounts } from "./mounts.ts";
import { compileNamespaces, type Namespaces } from "./namespaces.ts";
import { compileProcess, makeWorkingDirectory } from "./process.ts";
import { compileRoot, enterRoot } from "./root.ts";
import { compileSeccomp } from "./seccomp.ts";
import { point, slot } from "./slots.ts";
import { compileStdio, type Stdio } from "./stdio.ts";
import { compileSysctls } from "./sysctls.ts";
import type { StartInput } from "./types.ts";

/** Compiles the start of a container. Pure but for facts of the host, which `facts` replaces in tests. */
export function compileStart(input: StartInput, facts: HostFacts = hostFacts()): Recipe {
  const { config } = input;
  const parts: Parts = {
    namespaces: compileNamespaces(config.linux ?? {}),
    stdio: compileStdio(processOf(config), input.openStdin, true),
    cgroup: compileCgroup(config.linux ?? {}, facts.cgroups),
  };
  return {
    sections: {
      outside: outside(input, parts),
      inside: inside(input, parts, facts),
      cleanup: [...(input.extra?.cleanup ?? []), ...parts.cgroup.cleanup],
      pause: parts.cgroup.pause,
      resume: parts.cgroup.resume,
      kill: parts.cgroup.kill,
      ...(input.remove === undefined ? {} : { remove: input.remove }),
    },
    shim: { ...input.shim, stdio: parts.stdio.shim, openStdin: input.openStdin, ...parts.cgroup.oom },
  };
}

interface Parts {
  readonly namespaces: Namespaces;
  readonly stdio: Stdio;
  readonly cgroup: CgroupSteps;
}

function processOf(config: RuntimeConfig): NonNullable<RuntimeConfig["process"]> {
  return config.process ?? { args: [], cwd: "/", user: { uid: 0, gid: 0 } };
}

/**
 * What needs the process's pid comes after the clone and runs beside the inside. The network comes before the cgroups: its
 * addresses are awaited half-way through the inside, while a v1 attach may wait some 15 ms for RCU and is needed last.
 */
function outside(input: StartInput, { namespaces, stdio, cgroup }: Parts): Step[] {
  const adjust = input.config.process?.oomScoreAdj;
  return [
    ...stdio.before,
    ...namespaces.before,
    ...cgroup.before,
    step("clone", [namespaces.flags, cgroup.cloneInto ?? NONE, 1], { out: slot.pidfd, cause: "linux.namespaces" }),
    step("open_proc", [], { out: slot.proc, cause: "the container's process" }),
    ...namespaces.idMaps,
    ...(input.extra?.outside ?? []),
    step("signal", [point.network], { cause: "network ready" }),
    ...cgroup.attach,
    ...(adjust === undefined ? [] : [oomScore(adjust)]),
    step("signal", [point.cgroup], { cause: "in its cgroup" }),
    ...stdio.after,
  ];
}

function oomScore(adjust: number): Step {
  const text = new TextEncoder().encode(String(adjust));
  return step("write_file", [slot.proc, "oom_score_adj", text, 1, 0], { cause: "process.oomScoreAdj" });
}

/**
 * Mounts are resolved below the root while the host's tree is still at hand for their sources. Sysctls go through the host's
 * /proc, which an image cannot replace. What may be denied once the filter or the credentials hold comes before them.
 */
function inside(input: StartInput, { namespaces, stdio }: Parts, facts: HostFacts): Step[] {
  const { config } = input;
  const linux = config.linux ?? {};
  const process = processOf(config);
  const mounts = compileMounts(config, facts);
  const steps = compileProcess(process, compileSeccomp(linux.seccomp));
  return [
    ...namespaces.join,
    step("umask", [0], { cause: "modes as configured" }),
    step("setsid", [], { cause: "a session of its own", tolerate: [errno.EPERM] }),
    ...compileRoot(input.root, input.mountPoint, linux.rootfsPropagation ?? "", facts.overlay),
    ...mounts.early,
    ...(ownsDev(config.mounts ?? []) ? compileDevices(linux.devices ?? []) : []),
    ...stdio.terminal,
    ...makeWorkingDirectory(process),
    step("wait", [point.network], { cause: "network ready" }),
    ...(input.extra?.inside ?? []),
    ...compileSysctls(linux.sysctl ?? {}),
    ...names(config, namespaces),
    step("wait", [point.cgroup], { cause: "in its cgroup" }),
    ...(namespaces.isNew("cgroup") ? [unshareCgroup()] : []),
    ...mounts.afterCgroup,
    ...mounts.protect,
    ...enterRoot(config.root?.readonly === true),
    ...steps.privileged,
    ...steps.credentials,
    ...stdio.last,
    ...(input.init === true ? [step("init", [], { cause: "--init" })] : []),
    ...steps.exec,
  ];
}

function unshareCgroup(): Step {
  return step("unshare", [0x2000000], { cause: "linux.namespaces (cgroup)" });
}

function names(config: RuntimeConfig, namespaces: Namespaces): Step[] {
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  if (!namespaces.isNew("uts")) return [];
  return [
    ...(config.hostname === undefined ? [] : [step("sethostname", [text(config.hostname)], { cause: "hostname" })]),
    ...(config.domainname === undefined
      ? []
      : [step("setdomainname", [text(config.domainname)], { cause: "domainname" })]),
  ];
}
