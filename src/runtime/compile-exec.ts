/** The compiler's other half: a process added to a running container. See compile-start.ts. */
import { errno } from "../linux/errno.ts";
import { NONE } from "../recipe/ops.ts";
import { type Recipe, type Step, step } from "../recipe/recipe.ts";
import type { LinuxConfig, NamespaceType } from "../spec/runtime.ts";
import { type CgroupEntry, enterCgroup, forgetCgroup, joinCgroup } from "./cgroup-entry.ts";
import { finalAffinity, initialAffinity } from "./cpu-affinity.ts";
import { type HostFacts, hostFacts } from "./host.ts";
import { hostIds } from "./id-maps.ts";
import { joinContainer, openSharedRoot } from "./join-container.ts";
import { announce } from "./managed.ts";
import { cloneFlags } from "./namespaces.ts";
import { compileProcess, oomScore } from "./process.ts";
import { compileSeccomp, type SeccompSteps } from "./seccomp.ts";
import { point, slot } from "./slots.ts";
import { compileStdio, type Stdio } from "./stdio.ts";
import { toldState } from "./told-state.ts";
import type { ExecInput, Managed } from "./types.ts";
import { withoutUser } from "./unprivileged.ts";

const CONTAINER = "container";

/**
 * Compiles an exec. The container's namespaces are joined through a pidfd of its first process, checked to be that very process;
 * its pid namespace by the outside, because a process only enters one by being born there.
 */
export function compileExec(input: ExecInput, facts: HostFacts = hostFacts()): Recipe {
  const { process, config, self, init, openStdin, managed } = input;
  const linux = config.linux ?? {};
  const stdio = compileStdio(process, {
    openStdin,
    console: false,
    owner: hostIds(linux, process.user),
    managed,
  });
  const cgroup = input.cgroup === undefined ? joinCgroup(linux, facts.cgroups) : enterCgroup(input.cgroup);
  const told = self && toldState(config, self, "running", init.pid);
  const seccomp = compileSeccomp(linux.seccomp, input.filterCache, told);
  const pidfd = { out: CONTAINER, cause: "the container's first process" };
  return {
    sections: {
      outside: [
        ...stdio.before,
        step("open_pid", [init.pid, init.startTime], pidfd),
        ...joinBefore(linux, managed),
        ...openSharedRoot(linux, init.pid),
        ...cgroup.before,
        ...initialAffinity(process.execCPUAffinity),
        step("clone", [0, cgroup.cloneInto ?? NONE, 1], { out: slot.pidfd, cause: input.cgroup?.cause ?? "exec" }),
        ...joinResctrl(input),
        ...oomScore(process.oomScoreAdj ?? config.process?.oomScoreAdj),
        step("signal", [point.cgroup], { cause: "its OOM score is set" }),
        ...announce(managed),
        ...stdio.after,
        ...seccomp.listener,
      ],
      inside: inside(input, stdio, cgroup, seccomp),
    },
    ...(input.shim === undefined ? {} : { shim: { ...input.shim, stdio: stdio.shim, openStdin } }),
  };
}

function joinResctrl({ resctrl }: ExecInput): Step[] {
  if (resctrl === undefined) return [];
  return (require("./resctrl.ts") as typeof import("./resctrl.ts")).joinResctrl(resctrl, true);
}

/** Who has no privilege may enter no other namespace before the user namespace that owns it (setns(2)). */
function joinBefore(linux: LinuxConfig, managed: Managed | undefined): Step[] {
  const types = namespacesOf(linux).filter((type) => type === "pid" || (type === "user" && managed?.unprivileged));
  const flags = types.reduce((sum, type) => sum | cloneFlags[type], 0);
  return flags === 0 ? [] : [step("setns", [CONTAINER, flags], { cause: `linux.namespaces (${types.join(", ")})` })];
}

function inside(input: ExecInput, stdio: Stdio, cgroup: CgroupEntry, seccomp: SeccompSteps): Step[] {
  const { linux = {} } = input.config;
  const ring = input.self && { id: input.self.id, isNew: false };
  const steps = compileProcess(input.process, linux, seccomp.filter, input.managed, ring);
  return [
    ...forgetCgroup(cgroup),
    ...steps.open,
    ...cgroup.enter,
    ...finalAffinity(input.process.execCPUAffinity),
    ...joinContainer(CONTAINER, input.managed?.unprivileged === true ? withoutUser(linux) : linux),
    step("setsid", [], { cause: "a session of its own", tolerate: [errno.EPERM] }),
    ...stdio.terminal,
    step("wait", [point.cgroup], { cause: "its OOM score is set" }),
    ...steps.privileged,
    ...steps.credentials,
    ...stdio.last,
    ...(input.managed === undefined ? [] : steps.check),
    ...steps.filter,
    ...steps.exec,
  ];
}

function namespacesOf({ namespaces = [] }: LinuxConfig): NamespaceType[] {
  return namespaces.map(({ type }) => type);
}
