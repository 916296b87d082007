/** Whose a container's cgroup is (runtime-spec config-linux.md, "Cgroup ownership"). */
import { posix } from "node:path";
import { tryRead } from "../linux/cgroups/plan.ts";
import { errno } from "../linux/errno.ts";
import { parseMountOptions } from "../linux/mount-options.ts";
import { mountFlag } from "../linux/mount-words.ts";
import { CWD } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { RuntimeConfig } from "../spec/runtime.ts";
import { hostIds } from "./id-maps.ts";

const cause = "linux.namespaces (cgroup): its owner";

/** What cgroups(7) names, for kernels that do not list it. */
const usual = ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"];

/**
 * The host's user that the cgroup is given to: the one who executes the container's process, in a user namespace, where the container has
 * a cgroup namespace of its own and may write to its cgroups. Undefined: it stays its maker's.
 */
export function cgroupOwner({ linux = {}, mounts = [], process }: RuntimeConfig): number | undefined {
  const isNew = (wanted: string): boolean =>
    (linux.namespaces ?? []).some(({ type, path = "" }) => type === wanted && path === "");
  if (process === undefined || (linux.uidMappings ?? []).length === 0 || !isNew("cgroup")) return undefined;
  const isWritable = mounts.some(
    ({ source, destination, options = [] }) =>
      source === "cgroup" &&
      posix.join(destination, ".") === "/sys/fs/cgroup" &&
      (parseMountOptions(options).flags & mountFlag.RDONLY) === 0,
  );
  return isWritable ? hostIds(linux, process.user)?.uid : undefined;
}

/** Hands over a directory of v2 and those of its files that the kernel lists as safe to delegate (cgroup-v2.rst, "Model of Delegation"). */
export function giveCgroup(directory: string, uid: number): Step[] {
  const listed = tryRead("/sys/kernel/cgroup/delegate")?.split("\n").filter(Boolean) ?? usual;
  const give = (path: string): Step =>
    step("fchownat", [CWD, path, uid, -1, 0], { cause, tolerate: path === directory ? [] : [errno.ENOENT] });
  return [directory, ...listed.map((file) => `${directory}/${file}`)].map(give);
}
