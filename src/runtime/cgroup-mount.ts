import { type Hierarchy, ownDirectory } from "../linux/cgroups/detect.ts";
import { cgroupLocation } from "../linux/cgroups/location.ts";
import { errno } from "../linux/errno.ts";
import type { AttributeChange, FsParameter, MountOptions } from "../linux/mount-options.ts";
import { mountAttr } from "../linux/mount-words.ts";
import { CWD, resolveKind } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { LinuxConfig, RuntimeConfig } from "../spec/runtime.ts";
import { makeFileSystem, setOnMount } from "./file-system.ts";
import type { HostFacts } from "./host.ts";
import { flag, slot } from "./slots.ts";

/** The tmpfs that holds a directory for each v1 hierarchy. Only our own steps have been in it: names in it are safe. */
const TOP = "cgroup-root";
const FROM_EMPTY = flag.MOVE_MOUNT_F_EMPTY_PATH;
const BOTH_EMPTY = FROM_EMPTY | flag.MOVE_MOUNT_T_EMPTY_PATH;

/**
 * The container's view of its own cgroup, made once the process is in it: cgroup2 alone, or a tmpfs with one directory for each v1
 * hierarchy. In a cgroup namespace of its own the process mounts them anew; otherwise its own subtrees of v1 are bound in, and all
 * of cgroup2, as its paths in /proc are the host's. To mount that anew would change the options of the host's own.
 */
export function cgroupMount(
  destination: string,
  options: MountOptions,
  config: RuntimeConfig,
  { cgroups: { mode, v1, v2 } }: HostFacts,
  cause: string,
): Step[] {
  const { attributes } = options;
  const { set } = attributes;
  const own = hasOwnNamespace(config.linux ?? {});
  const path = config.linux?.cgroupsPath ?? "/";
  const place = (hierarchy: Hierarchy): string =>
    path === "" ? ownDirectory(hierarchy) : cgroupLocation(hierarchy, 1, path);
  if (mode === "v2" && v2 !== undefined) {
    const made = own ? newMount("cgroup2", [], set, cause) : boundSubtree(v2.mountPoint, attributes, cause);
    return [...made, ...attach(slot.mount, destination, cause)];
  }
  const source = { key: "source", value: "cgroup" };
  const steps = makeFileSystem("tmpfs", [source, { key: "mode", value: "755" }], set & ~mountAttr.RDONLY, {
    out: TOP,
    cause,
  });
  steps.push(...attach(TOP, destination, cause));
  for (const hierarchy of v1) {
    const name = directoryName(hierarchy);
    const made = own
      ? newMount("cgroup", hierarchyParameters(hierarchy), set, `${cause}: ${name}`)
      : boundSubtree(place(hierarchy), attributes, `${cause}: ${name}`);
    steps.push(...made, ...putBelowTop(hierarchy, name, cause));
  }
  if ((set & mountAttr.RDONLY) !== 0) steps.push(setOnMount(TOP, { set: mountAttr.RDONLY, clear: 0 }, 0, cause));
  return steps;
}

function hasOwnNamespace({ namespaces = [] }: LinuxConfig): boolean {
  return namespaces.some(({ type, path }) => type === "cgroup" && (path ?? "") === "");
}

function newMount(type: string, parameters: readonly FsParameter[], attributes: number, cause: string): Step[] {
  const source = { key: "source", value: "cgroup" };
  return makeFileSystem(type, [source, ...parameters], attributes, { out: slot.mount, cause });
}

/** A hierarchy without controllers has a name, and says so by `none`. */
function hierarchyParameters({ controllers }: Hierarchy): FsParameter[] {
  const prefix = "name=";
  const all = controllers.map((name) =>
    name.startsWith(prefix) ? { key: "name", value: name.slice(prefix.length) } : { key: name },
  );
  return controllers.some((name) => name.startsWith(prefix)) ? [{ key: "none" }, ...all] : all;
}

function boundSubtree(directory: string, attributes: AttributeChange, cause: string): Step[] {
  const clone = flag.OPEN_TREE_CLONE | flag.OPEN_TREE_CLOEXEC;
  return [
    step("open_tree", [CWD, directory, clone], { out: slot.mount, cause }),
    setOnMount(slot.mount, attributes, 0, cause),
  ];
}

/** Named as on the host: `cpu,cpuacct`. */
function directoryName({ mountPoint }: Hierarchy): string {
  return mountPoint.slice(mountPoint.lastIndexOf("/") + 1);
}

/** Controllers that share a hierarchy are found under their own names too. */
function putBelowTop({ controllers }: Hierarchy, name: string, cause: string): Step[] {
  const steps = [
    step("mkdirat", [TOP, name, 0o755], { cause }),
    step("move_mount", [slot.mount, "", TOP, name, FROM_EMPTY], { cause }),
  ];
  for (const controller of controllers) {
    if (controller === name || controller.startsWith("name=")) continue;
    steps.push(step("symlinkat", [name, TOP, controller], { cause, tolerate: [errno.EEXIST] }));
  }
  return steps;
}

function attach(mount: string, destination: string, cause: string): Step[] {
  return [
    step("resolve", [slot.root, destination, resolveKind.directory, 0o755], { out: slot.target, cause }),
    step("move_mount", [mount, "", slot.target, "", BOTH_EMPTY], { cause }),
  ];
}
