import type { CgroupLayout } from "../../linux/cgroups/detect.ts";
import type { LinuxConfig, ProcessConfig, RuntimeConfig } from "../../spec/runtime.ts";
import type { ContainerSpec, ResolvedProcess } from "../types.ts";
import { type Credentials, credentialsOf } from "./credentials.ts";
import { devicesOf } from "./devices.ts";
import { processEnvironment } from "./environment.ts";
import { hostnameOf } from "./hostname.ts";
import { type JoinedContainers, type NamespaceModes, namespaceModes } from "./modes.ts";
import { mountsOf, type NetworkFiles } from "./mounts.ts";
import { namespacesOf } from "./namespaces.ts";
import { oomScoreOf } from "./oom-score.ts";
import { maskedPaths, readonlyPaths } from "./paths.ts";
import { requestedConfigs, rootPropagationOf } from "./requested-mounts.ts";
import { resourcesOf } from "./resources.ts";
import { capabilitiesOf, capabilitySets, type SecurityOptions, seccompOf, securityOptions } from "./security.ts";
import { sysctlsOf } from "./sysctls.ts";

/** The runtime-spec version that the configurations are written to. */
const VERSION = "1.3.0";

/** What a container's configuration is made from. */
export interface ConfigInput {
  readonly id: string;
  /** As `checkSpec` gave it. */
  readonly spec: ContainerSpec;
  readonly resolved: ResolvedProcess;
  /** The directories that the root is made of, topmost first, the container's own (`upper`) among them: for names of users. */
  readonly layers: readonly string[];
  readonly cgroups: CgroupLayout["mode"];
  readonly files: NetworkFiles;
  readonly joined?: JoinedContainers;
  /** For `--ipc shareable`: a host directory that is /dev/shm. Without it the container has a private one. */
  readonly shm?: string;
  readonly consoleSize?: { readonly rows: number; readonly columns: number };
  /** Make nothing on the host, and do not ask for what is to be bound. */
  readonly dry?: boolean;
}

/** Everything but the mounts, the resources and the process. Also what an exec needs of the container. */
export interface Confinement {
  readonly modes: NamespaceModes;
  readonly security: SecurityOptions;
  readonly capabilities: readonly string[];
}

export function confinementOf(spec: ContainerSpec): Confinement {
  return {
    modes: namespaceModes(spec),
    security: securityOptions(spec.securityOpt),
    capabilities: capabilitiesOf(spec),
  };
}

/** The cgroup of a container, as `linux.cgroupsPath`. */
export function cgroupPath(id: string, spec: ContainerSpec): string {
  const parent = spec.cgroupParent || "/galley";
  return `${parent.endsWith("/") ? parent.slice(0, -1) : parent}/${id}`;
}

/**
 * The OCI configuration of a container. Pure but for the container's own passwd and group files, the host's devices where those are
 * given, and a look at the sources of binds. Throws `invalid_argument` for unknown users and groups, missing devices and sources;
 * `failed_precondition` for a container to be joined that does not run.
 */
export async function makeConfig(input: ConfigInput): Promise<RuntimeConfig> {
  const { id, spec, resolved, joined = {} } = input;
  const confinement = confinementOf(spec);
  const { modes, security } = confinement;
  const credentials = await credentialsOf(resolved.user, spec.groupAdd ?? [], input.layers);
  const hostname = hostnameOf(id, spec, joined);
  const shm = input.shm === undefined || modes.ipcVariant !== "shareable" ? {} : { shm: input.shm };
  return {
    ociVersion: VERSION,
    ...(modes.uts.kind === "host" ? {} : { hostname, ...(spec.domainname ? { domainname: spec.domainname } : {}) }),
    root: { path: "rootfs", readonly: spec.readonlyRootfs === true },
    process: processConfig(input, confinement, credentials, hostname),
    mounts: mountsOf(
      { spec, modes, security, joined, files: input.files, ...shm },
      requestedConfigs(spec, resolved, input.dry === true),
    ),
    ...(spec.annotations === undefined ? {} : { annotations: spec.annotations }),
    linux: await linuxConfig(input, confinement),
  };
}

function processConfig(
  { spec, resolved, consoleSize }: ConfigInput,
  { security, capabilities }: Confinement,
  { user, home }: Credentials,
  hostname: string,
): ProcessConfig {
  const terminal = spec.tty === true;
  return {
    ...(terminal ? { terminal } : {}),
    ...(terminal && consoleSize !== undefined
      ? { consoleSize: { height: consoleSize.rows, width: consoleSize.columns } }
      : {}),
    user,
    args: [resolved.path, ...resolved.args],
    env: processEnvironment(resolved.env, { hostname, terminal, home }),
    cwd: resolved.workingDir || "/",
    capabilities: capabilitySets(capabilities),
    ...limitsOf(spec),
    ...(security.noNewPrivileges ? { noNewPrivileges: true } : {}),
    ...oomScoreOf(spec),
  };
}

/** `--ulimit` as rlimits, for a container's process and for an exec alike. */
export function limitsOf({ ulimits = [] }: ContainerSpec): Pick<ProcessConfig, "rlimits"> {
  if (ulimits.length === 0) return {};
  return { rlimits: ulimits.map(({ name, soft, hard }) => ({ type: `RLIMIT_${name.toUpperCase()}`, soft, hard })) };
}

async function linuxConfig(input: ConfigInput, confinement: Confinement): Promise<LinuxConfig> {
  const { id, spec, joined = {}, cgroups } = input;
  const { modes, security, capabilities } = confinement;
  const devices = devicesOf(spec);
  const open = spec.privileged === true || security.openPaths;
  const seccomp = await seccompOf(security, spec.privileged === true, capabilities);
  const propagation = rootPropagationOf(spec);
  return {
    namespaces: namespacesOf(spec, modes, joined, cgroups),
    cgroupsPath: cgroupPath(id, spec),
    resources: resourcesOf(spec.resources ?? {}, devices.rules),
    devices: devices.nodes,
    sysctl: sysctlsOf(spec, modes),
    ...(propagation === undefined ? {} : { rootfsPropagation: propagation }),
    ...(seccomp === undefined ? {} : { seccomp }),
    ...(open ? {} : { maskedPaths: maskedPaths(), readonlyPaths }),
  };
}
