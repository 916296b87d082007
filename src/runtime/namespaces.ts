import { type ErrorCode, GalleyError } from "../errors.ts";
import { CWD } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { IdMapping, LinuxConfig, NamespaceType } from "../spec/runtime.ts";
import { utf8 } from "./bytes.ts";
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

const joinOrder: readonly NamespaceType[] = ["ipc", "uts", "network", "time", "cgroup"];

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

/**
 * Compiles linux.namespaces and the id maps. A mount namespace of its own is the one that every container must have: without it
 * its mounts would be the host's.
 */
export function compileNamespaces(linux: LinuxConfig): Namespaces {
  const fresh = new Set<NamespaceType>();
  const joined = new Set<NamespaceType>();
  const before: Step[] = [];
  for (const [index, { type, path = "" }] of (linux.namespaces ?? []).entries()) {
    const subject = `linux.namespaces[${index}]`;
    if (cloneFlags[type] === undefined) refuse("invalid_argument", `unknown namespace "${type}"`, `${subject}.type`);
    if (fresh.has(type) || joined.has(type)) refuse("invalid_argument", `${type} is there already`, subject);
    if (path !== "" && (type === "mount" || type === "user")) {
      refuse("unimplemented", `joining a ${type} namespace is not supported yet`, `${subject}.path`);
    }
    if (path === "") fresh.add(type);
    else before.push(...openNamespace(type, path));
    if (path !== "") joined.add(type);
  }
  if (!fresh.has("mount")) refuse("invalid_argument", 'must have {"type": "mount"}', "linux.namespaces");
  const mapsIds = fresh.has("user");
  const offsets = fresh.has("time") ? setTime(linux.timeOffsets) : [];
  return {
    before: [...before, ...offsets],
    flags: flagsOf(fresh) & (offsets.length > 0 ? ~cloneFlags.time : ~0),
    idMaps: mapsIds ? writeIdMaps(linux) : [],
    join: [...joinSteps(joined), ...(mapsIds ? becomeRoot() : [])],
    isNew: (type) => fresh.has(type),
  };
}

function refuse(code: ErrorCode, message: string, subject: string): never {
  throw new GalleyError(code, message, { subject });
}

function flagsOf(types: ReadonlySet<NamespaceType>): number {
  let flags = 0;
  for (const type of types) if (type !== "cgroup") flags |= cloneFlags[type];
  return flags;
}

function openNamespace(type: NamespaceType, path: string): Step[] {
  const options = { cause: `linux.namespaces (${type} at ${path})` };
  const flags = flag.O_RDONLY | flag.O_CLOEXEC;
  const opened = step("openat", [CWD, path, flags, 0], { out: `namespace.${type}`, ...options });
  return type === "pid" ? [opened, step("setns", [`namespace.${type}`, cloneFlags.pid], options)] : [opened];
}

function joinSteps(types: ReadonlySet<NamespaceType>): Step[] {
  const steps: Step[] = [];
  for (const type of joinOrder) {
    if (!types.has(type)) continue;
    steps.push(step("setns", [`namespace.${type}`, cloneFlags[type]], { cause: `linux.namespaces (${type})` }));
  }
  return steps;
}

/**
 * Offsets can be set as long as nobody is in the namespace (time_namespaces(7)): it is made for the children of the outside, and the
 * inside is born in it.
 */
function setTime(offsets: LinuxConfig["timeOffsets"] = {}): Step[] {
  const lines = Object.entries(offsets).map(([clock, { secs = 0, nanosecs = 0 }]) => `${clock} ${secs} ${nanosecs}\n`);
  if (lines.length === 0) return [];
  const cause = "linux.timeOffsets";
  const path = "/proc/self/timens_offsets";
  return [
    step("unshare", [cloneFlags.time], { cause }),
    step("write_file", [CWD, path, utf8(lines.join("")), flag.O_WRONLY, 0], { cause }),
  ];
}

function becomeRoot(): Step[] {
  const cause = "linux.uidMappings";
  return [
    step("wait", [point.idMaps], { cause }),
    step("setresgid", [0, 0, 0], { cause: "linux.gidMappings" }),
    step("setresuid", [0, 0, 0], { cause }),
  ];
}

function writeIdMaps({ uidMappings = [], gidMappings = [] }: LinuxConfig): Step[] {
  return [
    step("open_proc", [], { out: slot.proc, cause: "linux.uidMappings" }),
    writeMap("uid_map", uidMappings, "linux.uidMappings"),
    writeMap("gid_map", gidMappings, "linux.gidMappings"),
    step("signal", [point.idMaps], { cause: "linux.uidMappings" }),
  ];
}

/** The lines of user_namespaces(7): inside, outside, length. */
function writeMap(file: string, mappings: readonly IdMapping[], cause: string): Step {
  if (mappings.length === 0) refuse("invalid_argument", "a new user namespace needs at least one mapping", cause);
  const lines = mappings.map((one) => `${one.containerID} ${one.hostID} ${one.size}\n`);
  return step("write_file", [slot.proc, file, utf8(lines.join("")), flag.O_WRONLY, 0], { cause });
}
