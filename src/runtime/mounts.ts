import { statSync } from "node:fs";
import { GalleyError, toGalleyError } from "../errors.ts";
import { encodeMountAttr, type MountOptions, parseMountOptions } from "../linux/mount-options.ts";
import { mountAttr } from "../linux/mount-words.ts";
import { CWD, resolveKind } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { LinuxConfig, MountConfig, RuntimeConfig } from "../spec/runtime.ts";
import { cgroupMount } from "./cgroup-mount.ts";
import type { HostFacts } from "./host.ts";
import { flag, slot } from "./slots.ts";

/** The container's mounts, inside, in three turns: at once; those that show its cgroup; and what closes them again. */
export interface MountSteps {
  readonly early: readonly Step[];
  readonly afterCgroup: readonly Step[];
  /** Read-only file systems that others had to be mounted in, masked and read-only paths. */
  readonly protect: readonly Step[];
}

const BOTH_EMPTY = flag.MOVE_MOUNT_F_EMPTY_PATH | flag.MOVE_MOUNT_T_EMPTY_PATH;

/** Compiles config.mounts, linux.maskedPaths and linux.readonlyPaths. */
export function compileMounts(config: RuntimeConfig, facts: HostFacts): MountSteps {
  const early: Step[] = [];
  const afterCgroup: Step[] = [];
  const protect: Step[] = [];
  const late: string[] = [];
  for (const [index, mount] of (config.mounts ?? []).entries()) {
    const compiled = compileMount(mount, index, config, facts);
    const isLate = mount.type === "cgroup" || late.some((above) => mount.destination.startsWith(`${above}/`));
    if (isLate) late.push(mount.destination);
    (isLate ? afterCgroup : early).push(...compiled.steps);
    protect.push(...compiled.protect);
  }
  return { early, afterCgroup, protect: [...protect, ...hidePaths(config.linux ?? {})] };
}

interface CompiledMount {
  readonly steps: readonly Step[];
  readonly protect: readonly Step[];
}

function compileMount(mount: MountConfig, index: number, config: RuntimeConfig, facts: HostFacts): CompiledMount {
  const cause = `mounts[${index}] (${mount.type ?? "bind"} on ${mount.destination})`;
  const options = parseMountOptions(mount.options ?? []);
  if (options.idmap !== "none" || mount.uidMappings !== undefined) throw noIdMaps(cause);
  if (mount.type === "cgroup") return { steps: cgroupMount(mount, options, config, facts, cause), protect: [] };
  const isBind = options.bind !== "none" || mount.type === "bind";
  return isBind ? compileBind(mount, options, cause) : compileFileSystem(mount, options, index, cause);
}

function noIdMaps(cause: string): GalleyError {
  return new GalleyError("unimplemented", "id-mapped mounts are not supported yet", {
    subject: cause,
    hint: "leave out idmap, uidMappings and gidMappings",
  });
}

function compileBind(mount: MountConfig, options: MountOptions, cause: string): CompiledMount {
  const source = mount.source ?? "";
  const recursive = options.bind === "single" ? 0 : flag.AT_RECURSIVE;
  const clone = flag.OPEN_TREE_CLONE | flag.OPEN_TREE_CLOEXEC | recursive;
  return {
    steps: [
      step("open_tree", [CWD, source, clone], { out: slot.mount, cause: `${cause}: source ${source}` }),
      ...setAttributes(slot.mount, options, cause),
      ...attach(mount.destination, isDirectory(source, cause), options, cause),
      step("close", [slot.mount], { cause }),
    ],
    protect: [],
  };
}

function isDirectory(source: string, cause: string): boolean {
  try {
    return statSync(source).isDirectory();
  } catch (failure) {
    throw toGalleyError(failure, { op: "bind", subject: cause, hint: `does ${source} exist on this host?` });
  }
}

/** A tmpfs that is to be read-only stays writable until the mounts below it have found or made their places. */
function compileFileSystem(mount: MountConfig, options: MountOptions, index: number, cause: string): CompiledMount {
  const type = mount.type ?? "";
  const fs = "filesystem";
  const locksLater = type === "tmpfs" && (options.attributes.set & mountAttr.RDONLY) !== 0;
  const made = locksLater ? `mount.${index}` : slot.mount;
  const attributes = locksLater ? options.attributes.set & ~mountAttr.RDONLY : options.attributes.set;
  return {
    steps: [
      step("fsopen", [type, flag.FSOPEN_CLOEXEC], { out: fs, cause }),
      ...parameters(fs, mount, options, cause),
      step("fsconfig_create", [fs], { cause }),
      step("fsmount", [fs, flag.FSMOUNT_CLOEXEC, attributes], { out: made, cause }),
      step("close", [fs], { cause }),
      ...attach(mount.destination, true, options, cause, made),
      ...(locksLater ? [] : [step("close", [made], { cause })]),
    ],
    protect: locksLater ? [setOnMount(made, { set: mountAttr.RDONLY, clear: 0 }, 0, cause)] : [],
  };
}

/** `ro` is left to the mount: a read-only superblock could not be filled, and may be shared with other mounts of its kind. */
function parameters(fs: string, mount: MountConfig, options: MountOptions, cause: string): Step[] {
  const source = mount.source === undefined || mount.source === "" ? [] : [{ key: "source", value: mount.source }];
  const flags = options.superblock.filter((name) => name !== "ro").map((key) => ({ key }));
  return [...source, ...flags, ...options.data].map((one) =>
    "value" in one && one.value !== undefined
      ? step("fsconfig_string", [fs, one.key, one.value], { cause: `${cause}: ${one.key}=${one.value}` })
      : step("fsconfig_flag", [fs, one.key], { cause: `${cause}: ${one.key}` }),
  );
}

function setOnMount(
  mount: string,
  change: MountOptions["attributes"],
  flags: number,
  cause: string,
  propagation = 0,
): Step {
  return step("mount_setattr", [mount, "", flag.AT_EMPTY_PATH | flags, encodeMountAttr(change, propagation)], {
    cause,
  });
}

function setAttributes(mount: string, options: MountOptions, cause: string): Step[] {
  const { attributes, recursiveAttributes } = options;
  const own = attributes.set === 0 && attributes.clear === 0 ? [] : [setOnMount(mount, attributes, 0, cause)];
  return recursiveAttributes === undefined
    ? own
    : [...own, setOnMount(mount, recursiveAttributes, flag.AT_RECURSIVE, cause)];
}

/** Finds or makes the destination below the root, moves the mount there and sets how it propagates. */
function attach(
  destination: string,
  directory: boolean,
  options: MountOptions,
  cause: string,
  mount: string = slot.mount,
): Step[] {
  const kind = directory ? resolveKind.directory : resolveKind.file;
  const copy = options.tmpcopyup ? [step("copy_tree", [slot.target, mount], { cause: `${cause}: tmpcopyup` })] : [];
  return [
    step("resolve", [slot.root, destination, kind, 0o755], { out: slot.target, cause }),
    ...copy,
    step("move_mount", [mount, "", slot.target, "", BOTH_EMPTY], { cause }),
    step("close", [slot.target], { cause }),
    ...options.propagation.map((one) =>
      setOnMount(mount, { set: 0, clear: 0 }, one.recursive ? flag.AT_RECURSIVE : 0, cause, one.type),
    ),
  ];
}

function hidePaths(linux: LinuxConfig): Step[] {
  return [
    ...(linux.readonlyPaths ?? []).map((path, index) =>
      step("readonly_path", [slot.root, path], { cause: `linux.readonlyPaths[${index}] (${path})` }),
    ),
    ...(linux.maskedPaths ?? []).map((path, index) =>
      step("mask_path", [slot.root, path], { cause: `linux.maskedPaths[${index}] (${path})` }),
    ),
  ];
}
