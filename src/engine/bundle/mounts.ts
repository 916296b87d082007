import type { MountConfig } from "../../spec/runtime.ts";
import type { ContainerSpec } from "../types.ts";
import type { JoinedContainers, NamespaceModes } from "./modes.ts";
import type { SecurityOptions } from "./security.ts";

/** docker's size of /dev/shm, in bytes. */
export const DEFAULT_SHM_SIZE = 64 << 20;

/** Host paths of the files that tell a container who and where it is; absent ones are left as the image has them. */
export interface NetworkFiles {
  readonly resolvConf?: string;
  readonly hostname?: string;
  readonly hosts?: string;
}

/** What the mounts depend on. */
export interface MountInput {
  readonly spec: ContainerSpec;
  readonly modes: NamespaceModes;
  readonly security: SecurityOptions;
  readonly joined: JoinedContainers;
  readonly files: NetworkFiles;
  /** A host directory to be /dev/shm, for a container whose IPC others may join. */
  readonly shm?: string;
}

/**
 * All mounts of a container in the order in which they are made: what every container has, then the user's and the network's
 * files by the depth of their places. What the user mounts himself is not mounted twice.
 */
export function mountsOf(input: MountInput, requested: readonly MountConfig[]): readonly MountConfig[] {
  if (requested.length === 0) return [...systemMounts(input), ...fileMounts(input)];
  const taken = new Set(requested.map(({ destination }) => destination));
  const system = systemMounts(input).filter(
    ({ destination }) => !taken.has(destination) && !(taken.has("/dev") && destination.startsWith("/dev/")),
  );
  const files = fileMounts(input).filter(({ destination }) => !taken.has(destination));
  return [...system, ...byDepth([...requested, ...files])];
}

function byDepth(mounts: readonly MountConfig[]): readonly MountConfig[] {
  const depth = ({ destination }: MountConfig): number => destination.split("/").length;
  return mounts.toSorted((a, b) => depth(a) - depth(b));
}

function systemMounts(input: MountInput): MountConfig[] {
  const { spec, security } = input;
  const closed = ["nosuid", "noexec", "nodev"];
  const locked = spec.readonlyRootfs ? [...closed, "ro"] : closed;
  const sysfs = spec.privileged ? locked : [...closed, "ro"];
  const cgroup = security.writableCgroups ? locked : sysfs;
  return [
    { destination: "/proc", type: "proc", source: "proc", options: closed },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    { destination: "/sys", type: "sysfs", source: "sysfs", options: sysfs },
    { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: cgroup },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: closed },
    ...sharedMemory(input, closed),
  ];
}

function sharedMemory({ spec, modes, joined, shm }: MountInput, closed: readonly string[]): MountConfig[] {
  if (modes.ipcVariant === "none") return [];
  const directory = modes.ipc.kind === "host" ? "/dev/shm" : (joined.ipc?.shm ?? shm);
  if (directory !== undefined) return [bind("/dev/shm", directory, false)];
  const size = spec.shmSize || DEFAULT_SHM_SIZE;
  const options = [...closed, "mode=1777", `size=${size}`];
  return [{ destination: "/dev/shm", type: "tmpfs", source: "shm", options }];
}

function fileMounts({ spec, files }: MountInput): MountConfig[] {
  const readonly = spec.readonlyRootfs === true;
  const one = (destination: string, source: string | undefined): MountConfig[] =>
    source === undefined ? [] : [bind(destination, source, readonly)];
  return [
    ...one("/etc/resolv.conf", files.resolvConf),
    ...one("/etc/hostname", files.hostname),
    ...one("/etc/hosts", files.hosts),
  ];
}

function bind(destination: string, source: string, readonly: boolean): MountConfig {
  return { destination, type: "bind", source, options: ["rbind", "rprivate", ...(readonly ? ["ro"] : [])] };
}
