/**
 * Every operation a recipe can hold: one system call, or one small safe compound, each.
 *
 * This table is the single source of the language. `scripts/generate-ops.ts` makes native/ops.h from it, and a test fails
 * where the two differ. Numbers are part of the encoding: they are never reused. A parameter is written `name:kind`:
 *
 * - `u64`   a number; the optional third word names how it is printed (`flags:u64:mount-attr`)
 * - `str`   a NUL-terminated string
 * - `data`  bytes, handed to the system call as pointer and length
 * - `ptr`   bytes, handed over as a pointer alone
 * - `fd`    a descriptor slot, or `cwd` (AT_FDCWD), or `none` (-1)
 * - `slot`  a slot that the operation itself fills
 * - `fixup` what `netlink` patches just before it sends, as a {@link Fixup}
 *
 * Operations below 64 are plain system calls and need no code of their own in the native program.
 */
export interface OpSpec {
  readonly code: number;
  readonly params: readonly string[];
  /** The operation's result is a descriptor and may be kept in a slot. */
  readonly result?: true;
}

const call = <const P extends readonly string[]>(code: number, ...params: P) => ({ code, params });
const open = <const P extends readonly string[]>(code: number, ...params: P) => ({
  code,
  params,
  result: true as const,
});

export const ops = {
  // System calls (section 2 of their manual pages), in the order of their parameters.
  open_tree: open(1, "dir:fd", "path:str", "flags:u64:open-tree"),
  move_mount: call(2, "from:fd", "fromPath:str", "to:fd", "toPath:str", "flags:u64:move-mount"),
  fsopen: open(3, "type:str", "flags:u64:fsopen"),
  fsmount: open(4, "fs:fd", "flags:u64:fsopen", "attributes:u64:mount-attr"),
  mount_setattr: call(5, "dir:fd", "path:str", "flags:u64:at", "attr:data"),
  mount: call(6, "source:str", "target:str", "type:str", "flags:u64:mount", "data:str"),
  umount: call(7, "target:str", "flags:u64:umount"),
  pivot_root: call(8, "newRoot:str", "putOld:str"),
  chdir: call(9, "path:str"),
  fchdir: call(10, "dir:fd"),
  chroot: call(11, "path:str"),
  openat: open(12, "dir:fd", "path:str", "flags:u64:open", "mode:u64:octal"),
  close: call(13, "fd:fd"),
  mkdirat: call(14, "dir:fd", "path:str", "mode:u64:octal"),
  symlinkat: call(15, "target:str", "dir:fd", "path:str"),
  mknodat: call(16, "dir:fd", "path:str", "mode:u64:octal", "device:u64:device"),
  fchownat: call(17, "dir:fd", "path:str", "uid:u64", "gid:u64", "flags:u64:at"),
  fchmodat: call(18, "dir:fd", "path:str", "mode:u64:octal"),
  unlinkat: call(19, "dir:fd", "path:str", "flags:u64:at"),
  sethostname: call(20, "name:data"),
  setdomainname: call(21, "name:data"),
  prctl: call(22, "option:u64:prctl", "arg2:u64", "arg3:u64", "arg4:u64", "arg5:u64"),
  capset: call(23, "header:ptr", "data:ptr"),
  setresuid: call(24, "ruid:u64", "euid:u64", "suid:u64"),
  setresgid: call(25, "rgid:u64", "egid:u64", "sgid:u64"),
  setgroups: call(26, "count:u64", "groups:ptr"),
  umask: call(27, "mask:u64:octal"),
  setsid: call(28),
  personality: call(29, "persona:u64:hex"),
  keyctl: call(30, "operation:u64", "arg2:u64", "arg3:u64", "arg4:u64"),
  unshare: call(31, "flags:u64:clone"),
  setns: call(32, "namespace:fd", "flags:u64:clone"),
  ioprio_set: call(33, "which:u64", "who:u64", "priority:u64:hex"),
  sched_setattr: call(34, "pid:u64", "attr:ptr", "flags:u64"),
  sched_setaffinity: call(35, "pid:u64", "mask:data"),
  set_mempolicy: call(36, "mode:u64", "nodes:ptr", "maxnode:u64"),
  pidfd_send_signal: call(37, "pidfd:fd", "signal:u64:signal", "info:u64", "flags:u64"),
  close_range: call(38, "first:u64", "last:u64:hex", "flags:u64:close-range"),
  renameat2: call(39, "from:fd", "fromPath:str", "to:fd", "toPath:str", "flags:u64"),

  // fsconfig(2), one operation per command.
  fsconfig_string: call(64, "fs:fd", "key:str", "value:str"),
  fsconfig_flag: call(65, "fs:fd", "key:str"),
  fsconfig_fd: call(66, "fs:fd", "key:str", "value:fd"),
  fsconfig_create: call(67, "fs:fd"),
  /** prlimit64(0, resource, {soft, hard}). */
  setrlimit: call(68, "resource:u64:rlimit", "soft:u64", "hard:u64"),
  /** seccomp(SECCOMP_SET_MODE_FILTER, flags, filter); the result is the listener with NEW_LISTENER. */
  seccomp: open(69, "flags:u64:hex", "filter:data"),

  /**
   * Opens `path` below `root` (openat2 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, O_PATH). `kind` 0: it must exist, 1: a directory,
   * made with its parents where missing, 2: a file, likewise. Symbolic links are followed inside the root, dangling ones too.
   */
  resolve: open(80, "root:fd", "path:str", "kind:u64:resolve-kind", "mode:u64:octal"),
  /** open(flags | O_CLOEXEC | O_NOCTTY), one write of all bytes, close. A short write is EIO. */
  write_file: call(81, "dir:fd", "path:str", "content:data", "flags:u64:open", "mode:u64:octal"),
  /** Writes the inside actor's pid, in decimal, to a file. */
  write_pid: call(82, "dir:fd", "path:str"),
  /** Reads a file every millisecond until it contains `text`; ETIMEDOUT after `timeout` ms. */
  await_file: call(83, "dir:fd", "path:str", "text:data", "timeout:u64"),
  /** Opens /proc/<pid of the inside actor>. */
  open_proc: open(84),
  /** Hides `path`: a directory below an empty read-only tmpfs, anything else below /dev/null (its inode verified). Missing: nothing. */
  mask_path: call(85, "root:fd", "path:str"),
  /** Makes `path` and what is mounted below it read-only through a bind mount of itself. Missing: nothing. */
  readonly_path: call(86, "root:fd", "path:str"),
  /** Sends netlink messages and reads the answer to each that asks for one; fails with the first error among them. */
  netlink: call(87, "protocol:u64:netlink", "messages:data", "fixup:fixup"),
  /** clone3 with `flags` (CLONE_INTO_CGROUP where `cgroup` is given); the child runs `section`. The result is its pidfd. */
  clone: open(88, "flags:u64:clone", "cgroup:fd", "section:u64"),
  /** Tells the other actor that point N is reached. */
  signal: call(89, "point:u64"),
  /** Waits until the other actor has signalled point N; ECANCELED when it has ended instead. */
  wait: call(90, "point:u64"),
  /** Hands a descriptor to the other actor; descriptors arrive in the order they were sent. */
  send_fd: call(91, "fd:fd"),
  recv_fd: open(92),
  pipe: call(93, "read:slot", "write:slot", "flags:u64:open"),
  /** Opens a pseudo-terminal master at `path` below `root`, verified to be devpts' ptmx by its device number and file system. */
  open_ptmx: open(94, "root:fd", "path:str"),
  /** TIOCSPTLCK 0, then TIOCGPTPEER: the other side, without a path. */
  pty_peer: open(95, "master:fd"),
  /** TIOCSCTTY. */
  set_controlling_tty: call(96, "tty:fd"),
  set_window_size: call(97, "tty:fd", "rows:u64", "columns:u64"),
  /** Puts three descriptors on 0, 1 and 2 (`none`: /dev/null of the current root, its inode verified). */
  set_stdio: call(98, "stdin:fd", "stdout:fd", "stderr:fd"),
  /** execve. `argv` and `envp` are NUL-separated; a name without a slash is tried in each directory of `search`. */
  exec: call(99, "argv:data", "envp:data", "search:str"),
  /** ENOENT unless the working directory lies below the root. */
  check_cwd: call(100),
  /** Deletes a tree by descriptors, never following a link; a missing one is no error. */
  remove_tree: call(101, "dir:fd", "path:str"),
  /** Removes a cgroup directory and those below it, trying again for `timeout` ms while it is busy; a missing one is no error. */
  remove_cgroup: call(102, "path:str", "timeout:u64"),
  /** Sends a signal to every process of a cgroup and of those below it, until none is left (signal 9) or once (others). */
  kill_cgroup: call(103, "path:str", "signal:u64:signal"),
  make_dirs: call(104, "path:str", "mode:u64:octal"),
  /** A bound socket (listening where it is a stream) that the shim keeps open for the container's life. */
  reserve_port: open(105, "type:u64:socket-type", "address:data"),
  /** A pidfd of `pid`, ESRCH unless the process started at `startTime` (clock ticks since boot, field 22 of /proc/PID/stat). */
  open_pid: open(106, "pid:u64", "startTime:u64"),
  /** Forks: the child goes on with the recipe, this process stays as a small init that forwards signals and reaps. */
  init: call(107),
  /** Checks that a descriptor is what it should be; EBADF otherwise. */
  verify: call(108, "fd:fd", "kind:u64:verify-kind"),
  /** Loads an eBPF program of type cgroup/device and attaches it to a v2 cgroup. */
  attach_device_filter: call(109, "cgroup:fd", "instructions:data"),
  /** For an OCI console socket: connects to a unix socket and sends a descriptor over it. */
  send_console: call(110, "socket:str", "tty:fd"),
  /** Copies a directory's content to an empty one, which stays as it is, by descriptors, keeping owners, modes, times, xattrs and links. */
  copy_tree: call(111, "from:fd", "to:fd"),
  /** Writes an eventfd registration to cgroup v1's cgroup.event_control for memory.oom_control; the shim reads the eventfd. */
  watch_oom: open(112, "cgroup:str"),

  // Of containers that another program manages: see docs/runtime.md.
  /**
   * Waits for a byte in the fifo `gate`, which this actor has open both ways. All that is not to live so long is closed first. A
   * later step that fails writes two u32 into the fifo, its number and the error; a successful exec closes it.
   */
  await_start: call(120, "gate:fd"),
  /** Whether exec would find the program and may execute it: ENOENT, EACCES, EISDIR. What a seccomp filter hides is passed over. */
  check_exec: call(121, "name:str", "search:str"),
  /** A copy of the descriptor that the program was given by `--pass`. */
  passed_fd: open(122),
  /** Gives the standard streams to a user, but for /dev/null and where it may not be done. */
  own_stdio: call(123, "uid:u64", "gid:u64"),
  /** Makes or replaces a file with the inside actor's pid and start time: `PID STARTTIME`. */
  write_identity: call(124, "path:str"),
  /** As send_console, over a connected socket. */
  send_console_to: call(125, "socket:fd", "tty:fd"),

  /** chdir; where that is not allowed (EACCES, EPERM) it is left to retry_chdir. */
  try_chdir: call(130, "path:str"),
  /** chdir, if try_chdir was not allowed to: another user may be. */
  retry_chdir: call(131, "path:str"),
  /** As attach_device_filter, in the place of the program that such a step attached, without a moment between the two (Linux 5.6). */
  replace_device_filter: call(170, "cgroup:fd", "instructions:data"),

  // Of mounts and namespaces.
  /** As resolve, for something of the kind of `like`: what is missing becomes a directory where that is one, a file otherwise. */
  resolve_like: open(140, "root:fd", "path:str", "like:fd", "mode:u64:octal"),
  /** Gives a new file system the mode of the directory that is at `path` below `root`; where there is none, nothing. */
  fsconfig_mode_of: call(141, "fs:fd", "root:fd", "path:str"),
  /** A user namespace with these maps (the lines of user_namespaces(7)), which nobody is in. */
  user_namespace: open(142, "uids:data", "gids:data"),
  /** Maps the IDs of a detached mount as a user namespace does (mount_setattr, MOUNT_ATTR_IDMAP). */
  map_mount: call(143, "mount:fd", "namespace:fd", "flags:u64:at"),
  /** The inside goes on as a child of its parent with new namespaces, and ends itself: a user namespace that was joined owns them. */
  rebirth: call(144, "flags:u64:clone"),
  /** Takes the inside that was reborn for the one that it was: its pidfd, in place of the other one. */
  adopt: open(145),
  // Filters that ask an agent (seccomp_unotify(2)).
  /**
   * As seccomp with SECCOMP_FILTER_FLAG_NEW_LISTENER. The listener's descriptor is handed over through the page that the actors share,
   * and the other one is waited for there: the filter may hold up any system call from now on until the agent has the descriptor.
   */
  seccomp_listen: call(150, "flags:u64:hex", "filter:data"),
  /** Outside: a copy of the listener that the inside's seccomp_listen has made (pidfd_getfd(2)). */
  take_listener: open(151),
  /**
   * Connects to a unix socket and sends a message and a descriptor. The inside's pid, in decimal, takes the place of the ten bytes at
   * each of the two offsets, or of none at 2^32 - 1.
   */
  send_state: call(152, "socket:str", "fd:fd", "message:data", "pidAt:u64", "alsoAt:u64"),
  /**
   * Runs a program with `input` on its standard input, this actor's own pid in the place of the ten bytes at `pidAt` (2^32 - 1: nowhere),
   * and waits for it: `timeout` ms, 0 for ever. ETIMEDOUT where it was killed then, ECHILD where it failed, or what execve said. Its status
   * and what it wrote are in the note of the report, or of the gate.
   */
  run_hook: call(153, "path:str", "argv:data", "envp:data", "input:data", "pidAt:u64", "timeout:u64"),
  /** mknodat(2); a node of the same type and number that is there already will do, anything else is EEXIST. */
  make_node: call(180, "dir:fd", "path:str", "mode:u64:octal", "device:u64:device"),

  /**
   * Writes a map of IDs (the lines of user_namespaces(7)) to `file` of the inside's /proc directory. Where that is not allowed (EPERM), runs
   * `program PID ARGUMENTS…` without an environment, looked for in `search`, which may map more: newuidmap(1). ECHILD where it failed; what it said
   * is in the note of the report.
   */
  map_ids: call(200, "proc:fd", "file:str", "lines:data", "program:str", "arguments:data", "search:str"),

  /** Joins the session keyring of this name, or makes it (keyctl_join_session_keyring(3)), and sets its permissions unless they are 0. */
  join_keyring: call(201, "name:str", "permissions:u64:hex"),
  /** Gives the root of a detached mount an SELinux label, where no mount option does. */
  label_mount: call(202, "mount:fd", "label:str"),
  /** The SELinux context of what mask_path covers directories with from now on. */
  label_masks: call(203, "label:str"),

  /** Of the standard streams those that are /dev/null become that of the current root, where it has one: the host's is not the container's. */
  reopen_null: call(190),
} as const satisfies Record<string, OpSpec>;

export type OpName = keyof typeof ops;

/** Special descriptors that stand where a slot is asked for. */
export const CWD = "cwd";
export const NONE = "none";

/**
 * A u32 at byte `offset` of netlink messages that is only known while the recipe runs: the inside actor's pid as the outside
 * sees it (IFLA_NET_NS_PID), a descriptor (IFLA_NET_NS_FD), or the index that an interface has in the actor's namespace.
 */
export type Fixup =
  | { readonly kind: "none" }
  | { readonly kind: "pid"; readonly offset: number }
  | { readonly kind: "slot"; readonly offset: number; readonly slot: string }
  | { readonly kind: "interfaceIndex"; readonly offset: number; readonly name: string };
export const fixupKinds = ["none", "pid", "slot", "interfaceIndex"] as const;

/** `verify` kinds: /dev/null by device number, a proc mount's root, a devpts file, a cgroup directory, nothing of a procfs. */
export const verifyKind = { devNull: 1, procRoot: 2, devpts: 3, cgroup: 4, notProc: 5 } as const;

/** `resolve` kinds. */
export const resolveKind = { existing: 0, directory: 1, file: 2 } as const;

/** The sections of a recipe. */
export const section = {
  /** The native program itself, in the host's namespaces. */
  outside: 0,
  /** The container's first process, from clone to execve. */
  inside: 1,
  /** After every exit and after a failed start: each step is tried, whatever happened to the one before. */
  cleanup: 2,
  pause: 3,
  resume: 4,
  /** Once, when the shim itself is about to end for good. */
  remove: 5,
  /** Ends whatever still runs: where the first process is not a pid namespace's init. */
  kill: 6,
} as const;
export const sectionNames = ["outside", "inside", "cleanup", "pause", "resume", "remove", "kill"] as const;
