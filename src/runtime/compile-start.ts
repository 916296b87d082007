/**
 * The compiler: an OCI configuration to the recipe of a container's start. This file is the order of things and its reasons;
 * each part is in a file of its own.
 */
import { GalleyError } from "../errors.ts";
import { errno } from "../linux/errno.ts";
import { NONE } from "../recipe/ops.ts";
import { type Recipe, type Step, step } from "../recipe/recipe.ts";
import type { LinuxConfig, ProcessConfig, RuntimeConfig } from "../spec/runtime.ts";
import { utf8 } from "./bytes.ts";
import { type CgroupSteps, compileCgroup } from "./cgroup.ts";
import { forgetCgroup } from "./cgroup-entry.ts";
import { resetAffinity } from "./cpu-affinity.ts";
import { compileDevices, ownsDev } from "./devices.ts";
import { createContainerHooks, hasEarlyHooks, startContainerHooks } from "./hooks.ts";
import { type HostFacts, hostFacts } from "./host.ts";
import { hostIds, inUserNamespace } from "./id-maps.ts";
import { announce, announceMounts, awaitCreated, awaitHooks, openGate, waitAtGate } from "./managed.ts";
import { compileMounts, type MountSteps } from "./mounts.ts";
import { cloneFlags, compileNamespaces, type Namespaces } from "./namespaces.ts";
import type { NetDeviceSteps } from "./net-devices.ts";
import { compileProcess, type Keyring, makeWorkingDirectory, oomScore } from "./process.ts";
import type { ResctrlSteps } from "./resctrl.ts";
import { compileRoot, enterRoot, leaveHost, type RootPropagation, rootPropagation } from "./root.ts";
import { compileSeccomp, type SeccompSteps } from "./seccomp.ts";
import { point, slot } from "./slots.ts";
import { compileStdio, type Stdio } from "./stdio.ts";
import { compileSysctls } from "./sysctls.ts";
import { toldState } from "./told-state.ts";
import type { StartInput } from "./types.ts";
import { withoutPrivileges } from "./unprivileged.ts";

/** What all parts of a start are made from. */
interface Start {
  readonly input: StartInput;
  readonly process: ProcessConfig;
  readonly linux: LinuxConfig;
  readonly facts: HostFacts;
  readonly namespaces: Namespaces;
  readonly stdio: Stdio;
  readonly cgroup: CgroupSteps;
  readonly propagation: RootPropagation;
  readonly mounts: MountSteps;
  readonly devices: NetDeviceSteps;
  readonly seccomp: SeccompSteps;
  readonly resctrl: ResctrlSteps;
}

/**
 * Compiles the start of a container. Pure but for facts of the host, which `facts` replaces in tests, and a look at what binds
 * show. The configuration is taken to keep the rules of src/spec/validate; what breaks them none the less is refused where it
 * matters. Throws `invalid_argument`, `failed_precondition` or `unimplemented`, each with the field as its subject.
 */
export function compileStart(input: StartInput, facts: HostFacts = hostFacts()): Recipe {
  const { process, linux = {} } = input.config;
  if (process === undefined) throw new GalleyError("invalid_argument", "is required", { subject: "process" });
  const { config, self, openStdin, managed } = input;
  const propagation = rootPropagation(linux.rootfsPropagation);
  const start: Start = {
    input,
    process,
    linux,
    facts,
    namespaces:
      managed?.unprivileged === true
        ? withoutPrivileges(compileNamespaces(linux), linux, managed.maker)
        : compileNamespaces(linux),
    stdio: compileStdio(process, {
      openStdin,
      console: true,
      owner: hostIds(linux, process.user),
      managed,
    }),
    cgroup: compileCgroup(linux, facts.cgroups, {
      unprivileged: managed?.unprivileged === true || managed?.isNested === true,
      isInside: managed?.isInCgroup === true,
      owner: ownerOf(input),
    }),
    propagation,
    devices: netDevices(linux),
    mounts: compileMounts(labelled(input.config), facts, {
      rootPath: directoryOf(input),
      linux,
      propagation,
      unprivileged: managed?.unprivileged === true,
    }),
    seccomp: compileSeccomp(linux.seccomp, input.filterCache, self && toldState(config, self, "creating")),
    resctrl: resctrlSteps(input),
  };
  const { cgroup, stdio, resctrl } = start;
  return {
    sections: {
      outside: outside(start),
      inside: inside(start),
      cleanup: [
        ...(input.extra?.cleanup ?? []),
        ...cgroup.cleanup,
        ...resctrl.cleanup,
        ...(start.namespaces.isHosts("mount") ? leaveHost(input.mountPoint) : []),
      ],
      pause: cgroup.pause,
      resume: cgroup.resume,
      kill: cgroup.kill,
      ...(input.remove === undefined ? {} : { remove: input.remove }),
    },
    ...(input.shim === undefined ? {} : { shim: { ...input.shim, stdio: stdio.shim, openStdin, ...cgroup.oom } }),
  };
}

/**
 * What needs the process's pid comes after the clone and runs beside the inside. The network comes before the cgroups: its
 * addresses are awaited half-way through the inside, the cgroups are entered last.
 */
function outside({ input, process, namespaces, stdio, cgroup, mounts, devices, seccomp, resctrl }: Start): Step[] {
  const hooked = hasEarlyHooks(input.config);
  const confine = [
    ...cgroup.prepare,
    ...resctrl.join,
    ...oomScore(process.oomScoreAdj),
    step("signal", [point.cgroup], { cause: "cgroup ready" }),
  ];
  return [
    ...stdio.before,
    ...openGate(input.managed),
    ...namespaces.before,
    ...cgroup.before,
    ...resctrl.before,
    step("clone", [namespaces.flags, cgroup.cloneInto ?? NONE, 1], { out: slot.pidfd, cause: "linux.namespaces" }),
    ...namespaces.adopt,
    ...announce(input.managed),
    ...namespaces.idMaps,
    ...mounts.outside,
    ...devices.outside,
    ...(input.extra?.outside ?? []),
    ...(hooked ? confine : []),
    ...awaitHooks(input.managed),
    step("signal", [point.network], { cause: "network ready" }),
    ...(hooked ? [] : confine),
    ...stdio.after,
    ...seccomp.listener,
    ...awaitCreated(input.managed),
  ];
}

/**
 * Mounts are resolved below the root while the host's tree is still at hand for their sources. Sysctls go through the host's
 * /proc, which an image cannot replace. What may be denied once the filter or the credentials hold comes before them.
 */
function inside({
  input,
  process,
  linux,
  facts,
  namespaces,
  stdio,
  cgroup,
  propagation,
  mounts,
  devices,
  seccomp,
}: Start): Step[] {
  const { config } = input;
  const around = propagation.shared ? facts.mountAround(input.mountPoint) : "/";
  const steps = compileProcess(process, linux, seccomp.filter, input.managed, keyringOf(input));
  // Who hands a listener over is gone once the process waits at the gate.
  const isEarly = seccomp.listener.length > 0;
  const confined = [step("wait", [point.cgroup], { cause: "cgroup ready" }), ...cgroup.enter, ...resetAffinity()];
  const hooked = hasEarlyHooks(config);
  return [
    ...forgetCgroup(cgroup),
    ...steps.open,
    ...namespaces.join,
    step("umask", [0], { cause: "modes as configured" }),
    step("setsid", [], { cause: "a session of its own", tolerate: [errno.EPERM] }),
    ...compileRoot(input.root, input.mountPoint, propagation, {
      ...facts.overlay,
      around,
      inUserNamespace: inUserNamespace(linux),
      inHost: namespaces.isHosts("mount"),
    }),
    ...mounts.early,
    ...(ownsDev(config.mounts ?? []) ? compileDevices(linux.devices ?? [], mayMakeNone(input)) : []),
    ...stdio.terminal,
    ...makeWorkingDirectory(process),
    ...(hooked ? confined : []),
    ...announceMounts(input.managed),
    step("wait", [point.network], { cause: "network ready" }),
    ...devices.inside,
    ...(input.extra?.inside ?? []),
    ...createContainerHooks(config, input.self),
    ...compileSysctls(linux.sysctl ?? {}),
    ...names(config, namespaces),
    ...(hooked ? [] : confined),
    ...(namespaces.isNew("cgroup") ? [unshareCgroup()] : []),
    ...mounts.afterCgroup,
    ...mounts.protect,
    ...enterRoot(config.root?.readonly === true, propagation, wayInto(input, namespaces)),
    ...steps.privileged,
    ...steps.credentials,
    ...stdio.last,
    ...(input.managed === undefined ? [] : steps.check),
    ...(isEarly ? steps.filter : []),
    ...waitAtGate(input.managed),
    ...(isEarly ? [] : steps.filter),
    ...startContainerHooks(config, input.self),
    ...(input.init === true ? [step("init", [], { cause: "--init" })] : []),
    ...steps.exec,
  ];
}

function keyringOf({ self }: StartInput): Keyring | undefined {
  return self && { id: self.id, isNew: true };
}

function mayMakeNone({ config: { linux = {} }, managed }: StartInput): boolean {
  return inUserNamespace(linux) || managed?.isNested === true;
}

/** Who has no privileges gives nothing away: the cgroup is his own already. Few containers have a user namespace. */
function ownerOf({ config, managed }: StartInput): number | undefined {
  if (config.linux?.uidMappings === undefined || managed?.unprivileged === true) return undefined;
  const { cgroupOwner } = require("./cgroup-owner.ts") as typeof import("./cgroup-owner.ts");
  return cgroupOwner(config);
}

/** With SELinux contexts on what is mounted, where the configuration asks for them. */
function labelled(config: RuntimeConfig): RuntimeConfig {
  const { mounts = [], linux: { mountLabel = "" } = {} } = config;
  if (mountLabel === "") return config;
  const { labelMounts } = require("./labels.ts") as typeof import("./labels.ts");
  return { ...config, mounts: labelMounts(mounts, mountLabel) };
}

function wayInto({ managed }: StartInput, namespaces: Namespaces): "pivot" | "move" | "chroot" {
  if (namespaces.isHosts("mount")) return "chroot";
  return managed?.noPivot === true ? "move" : "pivot";
}

/** Few ask for any, so nobody else loads what moves them. */
function netDevices(linux: LinuxConfig): NetDeviceSteps {
  if (linux.netDevices === undefined) return { outside: [], inside: [] };
  const { compileNetDevices } = require("./net-devices.ts") as typeof import("./net-devices.ts");
  return compileNetDevices(linux);
}

/** Few have any, and only an OCI runtime's: it looks for the group, because it must remember it. */
function resctrlSteps({ config, resctrl }: StartInput): ResctrlSteps {
  if (resctrl !== undefined) return (require("./resctrl.ts") as typeof import("./resctrl.ts")).compileResctrl(resctrl);
  if (config.linux?.intelRdt === undefined) return { before: [], join: [], cleanup: [] };
  throw new GalleyError("unimplemented", "only the OCI runtime has groups of resctrl", { subject: "linux.intelRdt" });
}

function directoryOf({ root }: StartInput): string | undefined {
  return root.kind === "directory" ? root.path : undefined;
}

function unshareCgroup(): Step {
  return step("unshare", [cloneFlags.cgroup], { cause: "linux.namespaces (cgroup)" });
}

function names({ hostname, domainname }: RuntimeConfig, namespaces: Namespaces): Step[] {
  if ((hostname !== undefined || domainname !== undefined) && namespaces.isHosts("uts")) {
    const subject = hostname === undefined ? "domainname" : "hostname";
    throw new GalleyError("invalid_argument", "needs a uts namespace of the container's own", { subject });
  }
  return [
    ...(hostname === undefined ? [] : [step("sethostname", [utf8(hostname)], { cause: "hostname" })]),
    ...(domainname === undefined ? [] : [step("setdomainname", [utf8(domainname)], { cause: "domainname" })]),
  ];
}
