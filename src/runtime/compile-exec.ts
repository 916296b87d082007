/** The compiler's other half: a process added to a running container. See compile-start.ts. */
import { errno } from "../linux/errno.ts";
import { NONE } from "../recipe/ops.ts";
import { type Recipe, type Step, step } from "../recipe/recipe.ts";
import type { LinuxConfig, NamespaceType } from "../spec/runtime.ts";
import { joinCgroup } from "./cgroup.ts";
import { type HostFacts, hostFacts } from "./host.ts";
import { cloneFlags } from "./namespaces.ts";
import { compileProcess } from "./process.ts";
import { compileSeccomp } from "./seccomp.ts";
import { point, slot } from "./slots.ts";
import { compileStdio } from "./stdio.ts";
import type { ExecInput } from "./types.ts";

const CONTAINER = "container";

/**
 * Compiles an exec. The container's namespaces are joined through a pidfd of its first process, checked to be that very process;
 * its pid namespace by the outside, because a process only enters one by being born there.
 */
export function compileExec(input: ExecInput, facts: HostFacts = hostFacts()): Recipe {
  const linux = input.config.linux ?? {};
  const stdio = compileStdio(input.process, input.openStdin, false);
  const cgroup = joinCgroup(linux, facts.cgroups);
  const adjust = input.process.oomScoreAdj ?? input.config.process?.oomScoreAdj;
  const pidfd = { out: CONTAINER, cause: "the container's first process" };
  return {
    sections: {
      outside: [
        ...stdio.before,
        step("open_pid", [input.init.pid, input.init.startTime], pidfd),
        step("setns", [CONTAINER, cloneFlags.pid], { cause: "linux.namespaces (pid)" }),
        ...cgroup.before,
        step("clone", [0, cgroup.cloneInto ?? NONE, 1], { out: slot.pidfd, cause: "exec" }),
        ...cgroup.attach,
        ...(adjust === undefined ? [] : oomScore(adjust)),
        step("signal", [point.cgroup], { cause: "in its cgroup" }),
        ...stdio.after,
      ],
      inside: inside(input, stdio, linux),
    },
    shim: { ...input.shim, stdio: stdio.shim, openStdin: input.openStdin },
  };
}

function oomScore(adjust: number): Step[] {
  const text = new TextEncoder().encode(String(adjust));
  return [
    step("open_proc", [], { out: slot.proc, cause: "process.oomScoreAdj" }),
    step("write_file", [slot.proc, "oom_score_adj", text, 1, 0], { cause: "process.oomScoreAdj" }),
  ];
}

function inside(input: ExecInput, stdio: ReturnType<typeof compileStdio>, linux: LinuxConfig): Step[] {
  const steps = compileProcess(input.process, compileSeccomp(linux.seccomp));
  return [
    step("setns", [CONTAINER, joined(linux)], { cause: "linux.namespaces" }),
    step("setsid", [], { cause: "a session of its own", tolerate: [errno.EPERM] }),
    ...stdio.terminal,
    step("wait", [point.cgroup], { cause: "in its cgroup" }),
    ...steps.privileged,
    ...steps.credentials,
    ...stdio.last,
    ...steps.exec,
  ];
}

/** Every namespace that the configuration names, its own or joined: the first process is in it. */
function joined(linux: LinuxConfig): number {
  const types: NamespaceType[] = (linux.namespaces ?? []).map((one) => one.type).filter((type) => type !== "pid");
  return types.reduce((flags, type) => flags | cloneFlags[type], 0);
}
