/** What to do about a step that failed: loaded when one has. */
import { errno } from "../../linux/errno.ts";
import type { OpName } from "../../recipe/ops.ts";
import type { Step } from "../../recipe/recipe.ts";

interface Advice {
  readonly ops: readonly OpName[];
  readonly errors: readonly number[];
  /** How the step's cause begins; absent: any. */
  readonly field?: string;
  readonly hint: string;
}

const advice: readonly Advice[] = [
  {
    ops: ["mkdirat"],
    errors: [errno.ENOSPC],
    field: "linux.intelRdt.enableMonitoring",
    hint: "the processor counts for so many groups only (info/L3_MON/num_rmids): remove monitoring groups that nobody needs",
  },
  {
    ops: ["mkdirat"],
    errors: [errno.ENOSPC],
    field: "linux.intelRdt",
    hint: "the processor has so many classes only (info/*/num_closids): remove groups that nobody needs, or share one by closID",
  },
  {
    ops: ["write_file"],
    errors: [errno.EINVAL, errno.ENOENT],
    field: "linux.intelRdt",
    hint: "compare with the file schemata at the top: each resource and domain is there, masks are bits side by side, at least info/L3/min_cbm_bits of them",
  },
  {
    ops: ["resolve", "resolve_like", "make_node"],
    errors: [errno.ENOTDIR],
    hint: "something on the way is a file, or a directory is to come where a file is",
  },
  {
    ops: ["resolve", "resolve_like", "fsconfig_mode_of"],
    errors: [errno.ELOOP],
    hint: "links of the image lead round in a circle, or through a descriptor in /proc",
  },
  {
    ops: ["resolve", "resolve_like", "mkdirat", "mknodat", "make_node"],
    errors: [errno.EROFS],
    hint: "make the place in the image, or mount it before what is above it becomes read-only",
  },
  {
    ops: ["move_mount"],
    errors: [errno.EINVAL, errno.ENOTDIR],
    hint: "is the source a file and the destination a directory, or the other way round?",
  },
  {
    ops: ["fsopen"],
    errors: [errno.ENODEV],
    hint: "the kernel has no such file system; it lists them in /proc/filesystems",
  },
  {
    ops: ["fsconfig_string", "fsconfig_flag"],
    errors: [errno.EINVAL],
    hint: "the file system does not know this option, or not with this value",
  },
  {
    ops: ["fsconfig_create"],
    errors: [errno.ENOENT, errno.ENODEV, errno.EACCES],
    hint: "is the source there, and of the kind that the file system takes?",
  },
  { ops: ["open_tree"], errors: [errno.ENOENT], hint: "does the source exist on this host?" },
  {
    ops: ["open_tree"],
    errors: [errno.EACCES],
    hint: "may the root of the container's user namespace pass all directories above it, and is ID 0 mapped?",
  },
  {
    ops: ["setns"],
    errors: [errno.EINVAL],
    hint: "is the path that of a namespace of this type?",
  },
  {
    ops: ["openat"],
    errors: [errno.ENOENT],
    field: "linux.namespaces",
    hint: "is the process, or the mount, that keeps the namespace still there?",
  },
  { ops: ["setrlimit"], errors: [errno.EPERM], hint: "it is above what this runtime, or the kernel, has for itself" },
  {
    ops: ["setresuid", "setresgid"],
    errors: [errno.EINVAL],
    hint: "the ID is not mapped: add a mapping that contains it",
  },
  { ops: ["write_file"], errors: [errno.ENOENT], field: "linux.sysctl", hint: "this kernel has no such parameter" },
  { ops: ["write_file"], errors: [errno.ENOENT], field: "linux.resources", hint: "this kernel has no such limit" },
  {
    ops: ["write_file"],
    errors: [errno.ENOENT],
    field: "process.apparmorProfile",
    hint: "process.apparmorProfile: load the profile with apparmor_parser(8); those that are loaded are in /sys/kernel/security/apparmor/profiles",
  },
  {
    ops: ["write_file"],
    errors: [errno.EINVAL],
    field: "process.apparmorProfile",
    hint: "process.apparmorProfile: this kernel has no AppArmor, or it is switched off",
  },
  {
    ops: ["write_file"],
    errors: [errno.EINVAL],
    field: "process.selinuxLabel",
    hint: "the kernel's policy has no such context; ps -Z shows those of processes, USER:ROLE:TYPE:LEVEL",
  },
  {
    ops: ["write_file"],
    errors: [errno.EINVAL, errno.ERANGE, errno.ENODEV],
    hint: "the kernel does not take this value",
  },
  {
    ops: ["make_dirs", "openat", "write_file"],
    errors: [errno.ENOTDIR],
    field: "linux.cgroupsPath",
    hint: "a file of the cgroup file system has this name",
  },
  {
    ops: ["map_ids"],
    errors: [errno.ENOENT, errno.EACCES],
    hint: "only newuidmap and newgidmap map others' IDs for a user: install them (Debian: apt-get install uidmap)",
  },
  {
    ops: ["map_ids"],
    errors: [errno.ECHILD],
    hint: "a user may map his own IDs and those that /etc/subuid and /etc/subgid give him (subuid(5), usermod --add-subuids)",
  },
  { ops: ["make_node"], errors: [errno.EEXIST], hint: "something else than this device is there already" },
  {
    ops: ["mask_path", "set_stdio"],
    errors: [errno.ENODEV, errno.ELOOP],
    hint: "/dev/null of the container is not the null device",
  },
  {
    ops: ["verify"],
    errors: [errno.EBADF],
    field: "mounts",
    hint: "choose another destination; links in the image count",
  },
];

/** What to do about it, where that is known. */
export function hintFor({ op, cause }: Step, error: number): string | undefined {
  const found = advice.find(
    ({ ops, errors, field = "" }) => ops.includes(op) && errors.includes(error) && cause.startsWith(field),
  );
  return found?.hint;
}
