import { type ErrorCode, GalleyError } from "../errors.ts";
import { errno } from "../linux/errno.ts";
import { CWD } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { IdMapping, LinuxConfig, NamespaceType } from "../spec/runtime.ts";
import { utf8 } from "./bytes.ts";
import { mapLines } from "./id-maps.ts";
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

const joinOrder: readonly NamespaceType[] = ["ipc", "uts", "network", "time", "cgroup", "mount"];

export interface Namespaces {
  /** Outside, before the clone: files opened, and the pid namespace to clone into joined. */
  readonly before: readonly Step[];
  /** Flags for the clone. The cgroup namespace is not among them: it is unshared once the process is in its cgroup. */
  readonly flags: number;
  /** Outside, after the clone: the process is born a second time. */
  readonly adopt: readonly Step[];
  /** Outside, after that: id maps. */
  readonly idMaps: readonly Step[];
  /** Inside, first of all. */
  readonly join: readonly Step[];
  readonly isNew: (type: NamespaceType) => boolean;
  /** The container shares the runtime's. */
  readonly isHosts: (type: NamespaceType) => boolean;
}

/** Compiles linux.namespaces and the id maps. */
export function compileNamespaces(linux: LinuxConfig): Namespaces {
  const fresh = new Set<NamespaceType>();
  const joined = new Set<NamespaceType>();
  const before: Step[] = [];
  for (const [index, { type, path = "" }] of (linux.namespaces ?? []).entries()) {
    const subject = `linux.namespaces[${index}]`;
    if (cloneFlags[type] === undefined) refuse("invalid_argument", `unknown namespace "${type}"`, `${subject}.type`);
    if (fresh.has(type) || joined.has(type)) refuse("invalid_argument", `${type} is there already`, subject);
    if (path === "") fresh.add(type);
    else {
      joined.add(type);
      before.push(openNamespace(type, path));
    }
  }
  const offsets = fresh.has("time") ? setTime(linux.timeOffsets) : [];
  const flags = flagsOf(fresh) & (offsets.length > 0 ? ~cloneFlags.time : ~0);
  const isNew = (type: NamespaceType): boolean => fresh.has(type);
  const hasOwner = joined.has("user") || (fresh.has("user") && joined.size > 0);
  const steps = hasOwner ? joinFirst(joined, flags, linux) : makeOwn(joined, flags, linux);
  return { ...steps, before: [...before, ...offsets, ...steps.before], isNew, isHosts: isHosts(fresh, joined) };
}

function isHosts(fresh: ReadonlySet<NamespaceType>, joined: ReadonlySet<NamespaceType>) {
  return (type: NamespaceType): boolean => !fresh.has(type) && !joined.has(type);
}

type Ways = Omit<Namespaces, "isNew" | "isHosts">;

/** New namespaces are made with the process, and belong to its new user namespace, where it has one. */
function makeOwn(joined: ReadonlySet<NamespaceType>, flags: number, linux: LinuxConfig): Ways {
  const mapsIds = (flags & cloneFlags.user) !== 0;
  return {
    before: joined.has("pid") ? [join("pid")] : [],
    flags,
    adopt: [],
    idMaps: mapsIds ? writeIdMaps(linux) : [],
    join: [...joinAll(joined), ...(mapsIds ? becomeRoot(linux) : [])],
  };
}

/**
 * What is joined may belong to another user namespace than the container's, so it is joined with the host's rights; what is new is to
 * belong to that one, so it is made by a second birth.
 */
function joinFirst(joined: ReadonlySet<NamespaceType>, flags: number, linux: LinuxConfig): Ways {
  const cause = "linux.namespaces (user)";
  const mapsIds = !joined.has("user");
  return {
    before: [],
    flags: 0,
    adopt: [step("adopt", [], { out: slot.pidfd, cause })],
    idMaps: mapsIds ? writeIdMaps(linux) : [],
    join: [
      ...(joined.has("pid") ? [join("pid")] : []),
      ...joinAll(joined),
      ...(mapsIds ? [] : joinUser(cause)),
      step("rebirth", [flags], { cause: "linux.namespaces" }),
      ...(mapsIds ? becomeRoot(linux) : []),
    ],
  };
}

function joinAll(joined: ReadonlySet<NamespaceType>): Step[] {
  return joinOrder.filter((type) => joined.has(type)).map(join);
}

/** Where root is not mapped, the process stays nobody until it becomes its user. */
function joinUser(cause: string): Step[] {
  return [
    join("user"),
    step("setresgid", [0, 0, 0], { cause, tolerate: [errno.EINVAL] }),
    step("setresuid", [0, 0, 0], { cause, tolerate: [errno.EINVAL] }),
  ];
}

function refuse(code: ErrorCode, message: string, subject: string): never {
  throw new GalleyError(code, message, { subject });
}

function flagsOf(types: ReadonlySet<NamespaceType>): number {
  let flags = 0;
  for (const type of types) if (type !== "cgroup") flags |= cloneFlags[type];
  return flags;
}

function openNamespace(type: NamespaceType, path: string): Step {
  const cause = `linux.namespaces (${type} at ${path})`;
  return step("openat", [CWD, path, flag.O_RDONLY | flag.O_CLOEXEC, 0], { out: `namespace.${type}`, cause });
}

function join(type: NamespaceType): Step {
  return step("setns", [`namespace.${type}`, cloneFlags[type]], { cause: `linux.namespaces (${type})` });
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

/** Or whoever comes first, where root is not mapped. */
function becomeRoot({ uidMappings = [], gidMappings = [] }: LinuxConfig): Step[] {
  const cause = "linux.uidMappings";
  const [uid, gid] = [firstId(uidMappings), firstId(gidMappings)];
  return [
    step("wait", [point.idMaps], { cause }),
    step("setresgid", [gid, gid, gid], { cause: "linux.gidMappings" }),
    step("setresuid", [uid, uid, uid], { cause }),
  ];
}

function firstId(mappings: readonly IdMapping[]): number {
  return Math.min(...mappings.map(({ containerID }) => containerID));
}

function writeIdMaps({ uidMappings = [], gidMappings = [] }: LinuxConfig): Step[] {
  return [
    step("open_proc", [], { out: slot.proc, cause: "linux.uidMappings" }),
    writeMap("uid_map", uidMappings, "linux.uidMappings"),
    writeMap("gid_map", gidMappings, "linux.gidMappings"),
    step("signal", [point.idMaps], { cause: "linux.uidMappings" }),
  ];
}

function writeMap(file: string, mappings: readonly IdMapping[], cause: string): Step {
  if (mappings.length === 0) refuse("invalid_argument", "a new user namespace needs at least one mapping", cause);
  return step("write_file", [slot.proc, file, utf8(mapLines(mappings)), flag.O_WRONLY, 0], { cause });
}
