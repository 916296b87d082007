import { CWD } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { IdMapping, LinuxConfig, NamespaceType } from "../spec/runtime.ts";
import { flag, point, slot } from "./slots.ts";

/** CLONE_NEW* flags (clone(2), time_namespaces(7)). */
export const cloneFlags: Readonly<Record<NamespaceType, number>> = {
  time: 0x80,
  mount: 0x20000,
  cgroup: 0x2000000,
  uts: 0x4000000,
  ipc: 0x8000000,
  user: 0x10000000,
  pid: 0x20000000,
  network: 0x40000000,
};

/** Joined in this order: the user namespace first, for its privileges; the mount namespace last, for the paths. */
const joinOrder: readonly NamespaceType[] = ["user", "ipc", "uts", "network", "time", "cgroup", "mount"];

export interface Namespaces {
  /** Outside, before the clone: files opened, and the pid namespace to clone into joined. */
  readonly before: readonly Step[];
  /** Flags for the clone. The cgroup namespace is not among them: it is unshared once the process is in its cgroup. */
  readonly flags: number;
  /** Outside, after the clone: id maps. */
  readonly idMaps: readonly Step[];
  /** Inside, first of all. */
  readonly join: readonly Step[];
  readonly isNew: (type: NamespaceType) => boolean;
}

/** Compiles linux.namespaces and the id maps. */
export function compileNamespaces(linux: LinuxConfig): Namespaces {
  const asked = linux.namespaces ?? [];
  const joined = asked.filter((one) => one.path !== undefined && one.path !== "");
  const fresh = asked.filter((one) => one.path === undefined || one.path === "").map((one) => one.type);
  return {
    before: joined.flatMap((one) => openNamespace(one.type, one.path ?? "")),
    flags: fresh.filter((type) => type !== "cgroup").reduce((flags, type) => flags | cloneFlags[type], 0),
    idMaps: fresh.includes("user") ? writeIdMaps(linux) : [],
    join: [...joinSteps(joined.map((one) => one.type)), ...(fresh.includes("user") ? becomeRoot() : [])],
    isNew: (type) => fresh.includes(type),
  };
}

function openNamespace(type: NamespaceType, path: string): Step[] {
  const options = { cause: `linux.namespaces (${type} at ${path})` };
  const opened = step("openat", [CWD, path, flag.O_RDONLY | flag.O_CLOEXEC, 0], {
    out: `namespace.${type}`,
    ...options,
  });
  return type === "pid" ? [opened, step("setns", [`namespace.${type}`, cloneFlags.pid], options)] : [opened];
}

function joinSteps(types: readonly NamespaceType[]): Step[] {
  return joinOrder
    .filter((type) => types.includes(type))
    .map((type) => step("setns", [`namespace.${type}`, cloneFlags[type]], { cause: `linux.namespaces (${type})` }));
}

function becomeRoot(): Step[] {
  const cause = "linux.uidMappings";
  return [
    step("wait", [point.idMaps], { cause }),
    step("setresgid", [0, 0, 0], { cause: "linux.gidMappings" }),
    step("setresuid", [0, 0, 0], { cause }),
  ];
}

function writeIdMaps(linux: LinuxConfig): Step[] {
  const write = (file: string, mappings: readonly IdMapping[], cause: string): Step =>
    step("write_file", [slot.proc, file, mapText(mappings), flag.O_WRONLY, 0], { cause });
  return [
    write("uid_map", linux.uidMappings ?? [], "linux.uidMappings"),
    write("gid_map", linux.gidMappings ?? [], "linux.gidMappings"),
    step("signal", [point.idMaps], { cause: "linux.uidMappings" }),
  ];
}

/** The lines of user_namespaces(7): inside, outside, length. */
function mapText(mappings: readonly IdMapping[]): Uint8Array {
  return new TextEncoder().encode(mappings.map((one) => `${one.containerID} ${one.hostID} ${one.size}\n`).join(""));
}
