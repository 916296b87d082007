import { posix } from "node:path";
import type { Hierarchy } from "../linux/cgroups/detect.ts";
import { cgroupLocation } from "../linux/cgroups/location.ts";
import { errno } from "../linux/errno.ts";
import { encodeMountAttr, type MountOptions } from "../linux/mount-options.ts";
import { mountAttr } from "../linux/mount-words.ts";
import { CWD, resolveKind } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { MountConfig, RuntimeConfig } from "../spec/runtime.ts";
import type { HostFacts } from "./host.ts";
import { flag, slot } from "./slots.ts";

/** What the mounts of one `cgroup` entry share. */
interface CgroupMount {
  readonly destination: string;
  readonly options: MountOptions;
  readonly cause: string;
}

const FILE_SYSTEM = "filesystem";
const CGROUP_ROOT = "cgroup-root";
const BOTH_EMPTY = flag.MOVE_MOUNT_F_EMPTY_PATH | flag.MOVE_MOUNT_T_EMPTY_PATH;

/**
 * The container's view of its own cgroup, made once the process is in it: cgroup2 alone, or a tmpfs with one directory for each v1
 * hierarchy. In a cgroup namespace of its own the process mounts them anew; otherwise only its own subtrees are bound in.
 */
export function cgroupMount(
  mount: MountConfig,
  options: MountOptions,
  config: RuntimeConfig,
  facts: HostFacts,
  cause: string,
): Step[] {
  const one: CgroupMount = { destination: mount.destination, options, cause };
  const { v1, mode } = facts.cgroups;
  if (mode === "v2")
    return [...fileSystem("cgroup2", [], options.attributes.set, slot.mount, cause), ...attach(one, "", slot.mount)];
  const isPrivate = (config.linux?.namespaces ?? []).some(({ type, path }) => type === "cgroup" && (path ?? "") === "");
  const path = config.linux?.cgroupsPath ?? "/";
  return [
    ...tmpfs(one),
    ...v1.flatMap((hierarchy) => [
      ...(isPrivate ? mountHierarchy(one, hierarchy) : bindHierarchy(one, hierarchy, path)),
      ...links(hierarchy, cause),
    ]),
    ...lock(one),
  ];
}

function tmpfs(one: CgroupMount): Step[] {
  const attributes = one.options.attributes.set & ~mountAttr.RDONLY;
  return [
    ...fileSystem("tmpfs", [["mode", "755"]], attributes, CGROUP_ROOT, one.cause),
    ...attachAs(one, "", CGROUP_ROOT),
  ];
}

function fileSystem(
  type: string,
  parameters: readonly (readonly [string, string?])[],
  attributes: number,
  out: string,
  cause: string,
): Step[] {
  return [
    step("fsopen", [type, flag.FSOPEN_CLOEXEC], { out: FILE_SYSTEM, cause }),
    ...parameters.map(([key, value]) =>
      value === undefined
        ? step("fsconfig_flag", [FILE_SYSTEM, key], { cause })
        : step("fsconfig_string", [FILE_SYSTEM, key, value], { cause }),
    ),
    step("fsconfig_create", [FILE_SYSTEM], { cause }),
    step("fsmount", [FILE_SYSTEM, flag.FSMOUNT_CLOEXEC, attributes], { out, cause }),
    step("close", [FILE_SYSTEM], { cause }),
  ];
}

function mountHierarchy(one: CgroupMount, hierarchy: Hierarchy): Step[] {
  const parameters = hierarchy.controllers.map((name): readonly [string, string?] =>
    name.startsWith("name=") ? ["name", name.slice("name=".length)] : [name],
  );
  const named = hierarchy.controllers.some((name) => name.startsWith("name="));
  const all: readonly (readonly [string, string?])[] = named ? [["none"], ...parameters] : parameters;
  const cause = `${one.cause}: ${directoryName(hierarchy)}`;
  return [
    ...fileSystem("cgroup", all, one.options.attributes.set, slot.mount, cause),
    ...attach(one, directoryName(hierarchy), slot.mount),
  ];
}

function bindHierarchy(one: CgroupMount, hierarchy: Hierarchy, path: string): Step[] {
  const source = cgroupLocation(hierarchy, 1, path);
  const cause = `${one.cause}: ${directoryName(hierarchy)}`;
  const attributes = encodeMountAttr(one.options.attributes);
  return [
    step("open_tree", [CWD, source, flag.OPEN_TREE_CLONE | flag.OPEN_TREE_CLOEXEC], { out: slot.mount, cause }),
    step("mount_setattr", [slot.mount, "", flag.AT_EMPTY_PATH, attributes], { cause }),
    ...attach(one, directoryName(hierarchy), slot.mount),
  ];
}

/** Named as on the host: `cpu,cpuacct`. */
function directoryName(hierarchy: Hierarchy): string {
  return posix.basename(hierarchy.mountPoint);
}

/** Controllers that share a hierarchy are found under their own names too. */
function links(hierarchy: Hierarchy, cause: string): Step[] {
  const name = directoryName(hierarchy);
  return hierarchy.controllers
    .filter((controller) => controller !== name && !controller.startsWith("name="))
    .map((controller) => step("symlinkat", [name, CGROUP_ROOT, controller], { cause, tolerate: [errno.EEXIST] }));
}

function lock({ options, cause }: CgroupMount): Step[] {
  const readonly = (options.attributes.set & mountAttr.RDONLY) !== 0;
  const attributes = encodeMountAttr({ set: mountAttr.RDONLY, clear: 0 });
  return [
    ...(readonly ? [step("mount_setattr", [CGROUP_ROOT, "", flag.AT_EMPTY_PATH, attributes], { cause })] : []),
    step("close", [CGROUP_ROOT], { cause }),
  ];
}

function attach(one: CgroupMount, below: string, mount: string): Step[] {
  return [...attachAs(one, below, mount), step("close", [mount], { cause: one.cause })];
}

function attachAs({ destination, cause }: CgroupMount, below: string, mount: string): Step[] {
  const target = below === "" ? destination : `${destination}/${below}`;
  return [
    step("resolve", [slot.root, target, resolveKind.directory, 0o755], { out: slot.target, cause }),
    step("move_mount", [mount, "", slot.target, "", BOTH_EMPTY], { cause }),
    step("close", [slot.target], { cause }),
  ];
}
