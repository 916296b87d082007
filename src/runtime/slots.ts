/**
 * Names of the descriptor slots and numbers of the meeting points that the runtime's recipes use.
 *
 * A slot that is filled again closes what was in it, and none of the inside outlives its exec: most need no step to be closed.
 */

export const slot = {
  root: "root",
  oldRoot: "old-root",
  target: "target",
  fileSystem: "filesystem",
  mount: "mount",
  pidfd: "pidfd",
  proc: "proc",
  stdinRead: "stdin.read",
  stdinWrite: "stdin.write",
  stdoutRead: "stdout.read",
  stdoutWrite: "stdout.write",
  stderrRead: "stderr.read",
  stderrWrite: "stderr.write",
  master: "tty.master",
  tty: "tty",
  oom: "oom",
  cgroup: "cgroup",
  gate: "gate",
  /** A user namespace that is joined by its path, as `namespace.TYPE` of the others. */
  userNamespace: "namespace.user",
  console: "console",
  labels: "labels",
  listener: "listener",
} as const;

/** Points at which the actors meet; each is signalled once, by the outside where nothing else is said. */
export const point = {
  /** User and group id maps are written. */
  idMaps: 1,
  /** The outside's part of the network is done. */
  network: 2,
  /** The cgroups are there, with their limits, and the OOM score is set. */
  cgroup: 3,
  /** Signalled by the inside: everything is prepared, and it waits at the gate. */
  created: 4,
  /** Signalled by the inside: the root and its mounts are there, and not yet entered. */
  mounted: 5,
  /** Signalled by the inside: its next step loads a filter that has a listener. */
  filter: 6,
} as const;

/** Two of open(2)'s flags are others on Arm (asm/fcntl.h). */
const arm = process.arch === "arm64";

/** Flags of the system calls that more than one module here needs; each from the uapi header of its call. */
export const flag = {
  AT_SYMLINK_NOFOLLOW: 0x100,
  AT_REMOVEDIR: 0x200,
  AT_EMPTY_PATH: 0x1000,
  AT_RECURSIVE: 0x8000,
  OPEN_TREE_CLONE: 1,
  OPEN_TREE_CLOEXEC: 0o2000000,
  FSOPEN_CLOEXEC: 1,
  FSMOUNT_CLOEXEC: 1,
  MOVE_MOUNT_F_EMPTY_PATH: 0x4,
  MOVE_MOUNT_T_EMPTY_PATH: 0x40,
  MOVE_MOUNT_T_SYMLINKS: 0x10,
  MNT_DETACH: 2,
  O_RDONLY: 0,
  O_WRONLY: 1,
  O_RDWR: 2,
  O_CREAT: 0o100,
  O_DIRECTORY: arm ? 0o40000 : 0o200000,
  O_NOFOLLOW: arm ? 0o100000 : 0o400000,
  O_CLOEXEC: 0o2000000,
  O_PATH: 0o10000000,
  CLOSE_RANGE_CLOEXEC: 4,
} as const;
