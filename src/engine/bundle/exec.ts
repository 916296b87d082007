import type { CgroupLayout } from "../../linux/cgroups/detect.ts";
import type { ProcessConfig, RuntimeConfig } from "../../spec/runtime.ts";
import type { ContainerSpec, ExecSpec, ResolvedProcess } from "../types.ts";
import { cgroupPath, confinementOf, limitsOf } from "./config.ts";
import { credentialsOf } from "./credentials.ts";
import { mergeEnvironment, processEnvironment } from "./environment.ts";
import type { JoinedContainers } from "./modes.ts";
import { namespacesOf } from "./namespaces.ts";
import { oomScoreOf } from "./oom-score.ts";
import { capabilitiesOf, capabilitySets, seccompOf } from "./security.ts";

/** A running container, as an exec needs to know it. */
export interface ExecInput {
  readonly id: string;
  readonly spec: ContainerSpec;
  readonly resolved: ResolvedProcess;
  /** As in `ConfigInput`. */
  readonly layers: readonly string[];
  readonly cgroups: CgroupLayout["mode"];
  /** The host name that the container was started with. */
  readonly hostname: string;
  readonly exec: ExecSpec;
}

/** For the runtime's `compileExec`: the process, and of the container's configuration what holds for it too. */
export interface ExecConfig {
  readonly process: ProcessConfig;
  readonly config: RuntimeConfig;
}

/** Where the joined containers are does not matter any more: all of a container's namespaces are reached through its first process. */
const anywhere: Required<JoinedContainers> = {
  network: { pid: 1, hostname: "" },
  pid: { pid: 1 },
  ipc: { pid: 1 },
};

/** The process that an exec adds to a container. Throws `invalid_argument` for a user or group that the container does not have. */
export async function makeExecProcess(input: ExecInput): Promise<ExecConfig> {
  const { id, spec, exec } = input;
  const { modes, security, capabilities } = confinementOf(spec);
  const seccomp = await seccompOf(security, spec.privileged === true, capabilities);
  return {
    process: await processConfig(input, exec.privileged ? capabilitiesOf({ ...spec, privileged: true }) : capabilities),
    config: {
      ociVersion: "1.3.0",
      linux: {
        namespaces: namespacesOf(spec, modes, anywhere, input.cgroups),
        cgroupsPath: cgroupPath(id, spec),
        ...(seccomp === undefined ? {} : { seccomp }),
      },
    },
  };
}

async function processConfig(input: ExecInput, capabilities: readonly string[]): Promise<ProcessConfig> {
  const { spec, resolved, exec } = input;
  const { user, home } = await credentialsOf(exec.user || resolved.user, spec.groupAdd ?? [], input.layers);
  const terminal = exec.tty === true;
  const env = mergeEnvironment(resolved.env, exec.env ?? []);
  const { noNewPrivileges } = confinementOf(spec).security;
  return {
    ...(terminal ? { terminal } : {}),
    ...(terminal && exec.consoleSize !== undefined
      ? { consoleSize: { height: exec.consoleSize.rows, width: exec.consoleSize.columns } }
      : {}),
    user,
    args: exec.command,
    env: processEnvironment(env, { hostname: input.hostname, terminal, home }),
    cwd: exec.workingDir || resolved.workingDir || "/",
    capabilities: capabilitySets(capabilities),
    ...limitsOf(spec),
    ...(noNewPrivileges ? { noNewPrivileges: true } : {}),
    ...oomScoreOf(spec),
  };
}
