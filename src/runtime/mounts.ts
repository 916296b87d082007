import { GalleyError } from "../errors.ts";
import { errno } from "../linux/errno.ts";
import { encodeMountAttr, type FsParameter, type MountOptions, parseMountOptions } from "../linux/mount-options.ts";
import { mountAttr } from "../linux/mount-words.ts";
import { verifyKind } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { LinuxConfig, MountConfig, RuntimeConfig } from "../spec/runtime.ts";
import { isBindMount } from "../spec/validate/mounts.ts";
import { placeInProc } from "../spec/validate/proc-mounts.ts";
import { type BindPlace, compileSource, forgetSources, type SourceSteps } from "./bind-source.ts";
import { cgroupMount } from "./cgroup-mount.ts";
import { makeFileSystem, setOnMount } from "./file-system.ts";
import type { HostFacts } from "./host.ts";
import { flag, slot } from "./slots.ts";

/** The container's mounts, inside, in three turns: at once; those that show its cgroup; and what closes them again. */
export interface MountSteps {
  readonly early: readonly Step[];
  readonly afterCgroup: readonly Step[];
  /** Read-only file systems that others had to be mounted in, masked and read-only paths. */
  readonly protect: readonly Step[];
  /** Outside, once there is a process: sources that it opens for the inside. */
  readonly outside: readonly Step[];
}

const BOTH_EMPTY = flag.MOVE_MOUNT_F_EMPTY_PATH | flag.MOVE_MOUNT_T_EMPTY_PATH;

/** One entry of config.mounts as it is being compiled. */
interface Mount {
  readonly config: MountConfig;
  readonly index: number;
  readonly options: MountOptions;
  readonly cause: string;
  /** A tmpfs that is to be read-only stays writable until the mounts below it have found or made their places. */
  readonly locksLater: boolean;
  /** The slot of the mount, one of its own where something else is mounted before it is needed again. */
  readonly slot: string;
}

/** Compiles config.mounts, linux.maskedPaths and linux.readonlyPaths. */
export function compileMounts(config: RuntimeConfig, facts: HostFacts, place: BindPlace): MountSteps {
  const early: Step[] = [];
  const afterCgroup: Step[] = [];
  const protect: Step[] = [];
  const outside: Step[] = [];
  const late: string[] = [];
  for (const [index, one] of (config.mounts ?? []).entries()) {
    const isLate = one.type === "cgroup" || late.some((above) => one.destination.startsWith(`${above}/`));
    if (isLate) late.push(one.destination);
    const mount = readMount(one, index, isLate);
    const steps = isLate ? afterCgroup : early;
    if (isBindMount(one)) {
      const source = bindSource(mount, place);
      // What the outside hands over is taken at once, whenever it is attached.
      (source.outside.length > 0 ? early : steps).push(...source.inside);
      outside.push(...source.outside);
      attach(mount, steps);
    } else steps.push(...mountSteps(mount, config, facts));
    if (mount.locksLater) {
      protect.push(setOnMount(mount.slot, { set: mountAttr.RDONLY, clear: 0 }, 0, mount.cause));
    }
  }
  hidePaths(config.linux ?? {}, protect);
  outside.push(...forgetSources(outside));
  return { early, afterCgroup, protect, outside };
}

function readMount(config: MountConfig, index: number, isLate: boolean): Mount {
  const cause = `mounts[${index}] (${config.type ?? "bind"} on ${config.destination})`;
  const options = parseMountOptions(config.options ?? []);
  const isReadOnly = (options.attributes.set & mountAttr.RDONLY) !== 0;
  const locksLater = isReadOnly && config.type === "tmpfs" && options.bind === "none";
  return { config, index, options, cause, locksLater, slot: locksLater || isLate ? `mount.${index}` : slot.mount };
}

function mountSteps(mount: Mount, config: RuntimeConfig, facts: HostFacts): Step[] {
  const { type = "" } = mount.config;
  if (type === "cgroup") return cgroupMount(mount.config.destination, mount.options, config, facts, mount.cause);
  if (type !== "") return fileSystem(mount, config.linux?.mountLabel);
  throw new GalleyError("invalid_argument", "is required, unless the options have bind or rbind", {
    subject: `mounts[${mount.index}].type`,
  });
}

function bindSource(mount: Mount, place: BindPlace): SourceSteps {
  refuseParameters(mount);
  return compileSource(mount, place);
}

/** A bind shows a file system that is mounted already: what looks like a parameter of one would be silently without effect. */
function refuseParameters({ options, index }: Mount): void {
  const first = options.data[0];
  if (first === undefined) return;
  throw new GalleyError("invalid_argument", `a bind mount cannot have the file system option "${first.key}"`, {
    subject: `mounts[${index}].options`,
  });
}

function fileSystem(mount: Mount, label = ""): Step[] {
  const { config, options, cause } = mount;
  const { set } = options.attributes;
  const attributes = mount.locksLater ? set & ~mountAttr.RDONLY : set;
  const steps = makeFileSystem(config.type ?? "", parameters(mount), attributes, {
    out: mount.slot,
    cause,
    ...(inheritsMode(mount) ? { modeOf: config.destination } : {}),
  });
  // The one file system with labels of its own and without the option.
  if (label !== "" && config.type === "mqueue") {
    steps.push(step("label_mount", [mount.slot, label], { cause: "linux.mountLabel" }));
  }
  if (options.recursiveAttributes !== undefined) {
    steps.push(setOnMount(mount.slot, options.recursiveAttributes, 0, cause));
  }
  attach(mount, steps);
  return steps;
}

/** A tmpfs over a directory of the image looks like that, where nothing else is said. */
function inheritsMode({ config: { type }, options: { data } }: Mount): boolean {
  return type === "tmpfs" && !data.some(({ key }) => key === "mode");
}

/** `ro` is left to the mount: a read-only superblock could not be filled, and may be shared with other mounts of its kind. */
function parameters({ config: { source = "" }, options }: Mount): FsParameter[] {
  const all: FsParameter[] = source === "" ? [] : [{ key: "source", value: source }];
  for (const key of options.superblock) if (key !== "ro") all.push({ key });
  all.push(...options.data);
  return all;
}

/** Finds or makes the destination below the root, moves the mount there and sets how it propagates. */
function attach({ config, options, cause, slot: mount }: Mount, steps: Step[]): void {
  if (isKernelsOwn(config)) steps.push(...strictTarget(config.destination, cause));
  else {
    steps.push(step("resolve_like", [slot.root, config.destination, mount, 0o755], { out: slot.target, cause }));
    steps.push(...guardProc(config.destination, mount, cause));
  }
  if (options.tmpcopyup) {
    steps.push(step("copy_tree", [slot.target, mount], { cause: `${cause}: tmpcopyup` }));
  }
  steps.push(step("move_mount", [mount, "", slot.target, "", BOTH_EMPTY], { cause }));
  for (const { type, recursive } of options.propagation) {
    const flags = flag.AT_EMPTY_PATH | (recursive ? flag.AT_RECURSIVE : 0);
    const attr = encodeMountAttr({ set: 0, clear: 0 }, type);
    steps.push(step("mount_setattr", [mount, "", flags, attr], { cause: `${cause}: propagation` }));
  }
}

/** A volume over the container's procfs would speak for the kernel; a link of the image's may lead into it too (CVE-2019-16884). */
function guardProc(destination: string, mount: string, cause: string): Step[] {
  const place = placeInProc(destination);
  if (place === "replaceable") return [];
  if (place === "itself")
    return [step("verify", [mount, verifyKind.procRoot], { cause: `${cause}: must be a procfs` })];
  return [step("verify", [slot.target, verifyKind.notProc], { cause: `${cause}: must not lie inside /proc` })];
}

function isKernelsOwn({ type, destination }: MountConfig): boolean {
  return (type === "proc" || type === "sysfs") && destination.lastIndexOf("/") === 0 && destination.length > 1;
}

/**
 * Where procfs and sysfs go must be a directory of the root itself: through a link of the image's they could come to lie where
 * the paths to be masked do not lead (CVE-2023-27561).
 */
function strictTarget(destination: string, cause: string): Step[] {
  const name = destination.slice(1);
  const why = `${cause}: must be mounted on ordinary directory`;
  const flags = flag.O_PATH | flag.O_DIRECTORY | flag.O_NOFOLLOW | flag.O_CLOEXEC;
  return [
    step("mkdirat", [slot.root, name, 0o755], { cause, tolerate: [errno.EEXIST] }),
    step("openat", [slot.root, name, flags, 0], { out: slot.target, cause: why }),
  ];
}

function hidePaths({ readonlyPaths = [], maskedPaths = [], mountLabel = "" }: LinuxConfig, steps: Step[]): void {
  for (const [index, path] of readonlyPaths.entries()) {
    steps.push(step("readonly_path", [slot.root, path], { cause: `linux.readonlyPaths[${index}] (${path})` }));
  }
  if (mountLabel !== "" && maskedPaths.length > 0) {
    steps.push(step("label_masks", [mountLabel], { cause: "linux.mountLabel" }));
  }
  for (const [index, path] of maskedPaths.entries()) {
    // Over a mask there is nothing left to hide.
    if (maskedPaths.indexOf(path) < index) continue;
    steps.push(step("mask_path", [slot.root, path], { cause: `linux.maskedPaths[${index}] (${path})` }));
  }
}
