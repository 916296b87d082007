/** Ways to break a bundle that only the kernel, or a hook, can tell, and what is said of each: the step, the field behind it, and why. */
import { type Break, only } from "./broken-bundle.ts";

const hook = (script: string) => [{ path: "/bin/sh", args: ["sh", "-c", script] }];

/** As in broken-configs.ts. */
export const brokenStarts: readonly Break[] = [
  [
    "a volume over /proc",
    ({ mounts }) => mounts.push({ destination: "/proc", type: "bind", source: "/tmp", options: ["rbind"] }),
    "unable to start container process: mounts[7] (bind on /proc): must be a procfs: verify: EBADF: Bad file descriptor (choose another destination; links in the image count)",
  ],
  [
    "a root that is not there",
    ({ root }) => (root.path = "nothing"),
    "root.path: invalid rootfs: stat BUNDLE/nothing: no such file or directory",
  ],
  [
    "a root that is a file",
    ({ root }, { write }) => {
      write("file", "");
      root.path = "file";
    },
    "root.path: invalid rootfs: BUNDLE/file is not a directory",
  ],
  [
    "a root that is a link to nowhere",
    ({ root }, { link }) => {
      link("link", "/nowhere");
      root.path = "link";
    },
    "root.path: invalid rootfs: stat BUNDLE/link: no such file or directory",
  ],
  [
    "a command that is not there",
    ({ process }) => (process.args = ["nothing"]),
    'unable to start container process: exec: "nothing": executable file not found in $PATH',
  ],
  [
    "a command's path that is not there",
    ({ process }) => (process.args = ["/bin/nothing"]),
    'unable to start container process: exec: "/bin/nothing": stat /bin/nothing: no such file or directory',
  ],
  [
    "a command that may not be executed",
    ({ process }) => (process.args = ["/etc/passwd"]),
    'unable to start container process: exec: "/etc/passwd": permission denied',
  ],
  [
    "a command that is a directory",
    ({ process }) => (process.args = ["/tmp"]),
    'unable to start container process: exec: "/tmp": is a directory: permission denied',
  ],
  [
    "a working directory that is a file",
    ({ process }) => (process.cwd = "/etc/passwd"),
    "unable to start container process: process.cwd: resolve: ENOTDIR: Not a directory (something on the way is a file, or a directory is to come where a file is)",
  ],
  [
    "a working directory that cannot be made",
    ({ process }) => (process.cwd = "/etc/passwd/x"),
    "unable to start container process: process.cwd: resolve: ENOTDIR: Not a directory (something on the way is a file, or a directory is to come where a file is)",
  ],
  [
    "a working directory by a descriptor",
    ({ process }) => (process.cwd = "/proc/self/fd/7"),
    "unable to start container process: process.cwd: resolve: ELOOP: Too many levels of symbolic links (links of the image lead round in a circle, or through a descriptor in /proc)",
  ],
  [
    "a working directory that loops",
    ({ process }, { link }) => {
      link("rootfs/loop", "loop");
      process.cwd = "/loop/x";
    },
    "unable to start container process: process.cwd: resolve: ELOOP: Too many levels of symbolic links (links of the image lead round in a circle, or through a descriptor in /proc)",
  ],
  [
    "a file limit above the kernel's",
    ({ process }) => (process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 2 ** 40, hard: 2 ** 40 }]),
    "unable to start container process: process.rlimits[0] (RLIMIT_NOFILE): setrlimit: EPERM: Operation not permitted (it is above what this runtime, or the kernel, has for itself)",
  ],
  [
    "a namespace's path that is not there",
    ({ linux }) => (only(linux, "network").path = "/nowhere/net"),
    "unable to start container process: linux.namespaces (network at /nowhere/net): openat: ENOENT: No such file or directory (is the process, or the mount, that keeps the namespace still there?)",
  ],
  [
    "a namespace's path that is a file",
    ({ linux }) => (only(linux, "network").path = "/etc/passwd"),
    "unable to start container process: linux.namespaces (network): setns: EINVAL: Invalid argument (is the path that of a namespace of this type?)",
  ],
  [
    "a namespace's path of another kind",
    ({ linux }) => (only(linux, "network").path = "/proc/self/ns/ipc"),
    "unable to start container process: linux.namespaces (network): setns: EINVAL: Invalid argument (is the path that of a namespace of this type?)",
  ],
  [
    "a pid namespace's path of another kind",
    ({ linux }) => (only(linux, "pid").path = "/proc/self/ns/ipc"),
    "unable to start container process: linux.namespaces (pid): setns: EINVAL: Invalid argument (is the path that of a namespace of this type?)",
  ],
  [
    "IDs without a root among them",
    ({ linux, mounts }) => {
      linux.namespaces.push({ type: "user" });
      linux.uidMappings = [{ containerID: 1, hostID: 100000, size: 10 }];
      linux.gidMappings = [{ containerID: 1, hostID: 100000, size: 10 }];
      mounts.length = 0;
    },
    "unable to start container process: root.path (BUNDLE/rootfs): open_tree: EACCES: Permission denied (may the root of the container's user namespace pass all directories above it, and is ID 0 mapped?)",
  ],
  [
    "a bind's source that is not there",
    ({ mounts }) => mounts.push({ destination: "/x", type: "bind", source: "/nowhere", options: ["rbind"] }),
    "unable to start container process: mounts[7] (bind on /x): source /nowhere: open_tree: ENOENT: No such file or directory (does the source exist on this host?)",
  ],
  [
    "a directory bound onto a file",
    ({ mounts }) => mounts.push({ destination: "/etc/passwd", type: "bind", source: "/tmp", options: ["rbind"] }),
    "unable to start container process: mounts[7] (bind on /etc/passwd): resolve_like: ENOTDIR: Not a directory (something on the way is a file, or a directory is to come where a file is)",
  ],
  [
    "a file bound onto a directory",
    ({ mounts }, { write, at }) => {
      write("file", "");
      mounts.push({ destination: "/tmp", type: "bind", source: at("file"), options: ["rbind"] });
    },
    "unable to start container process: mounts[7] (bind on /tmp): move_mount: EINVAL: Invalid argument (is the source a file and the destination a directory, or the other way round?)",
  ],
  [
    "a mount below a file",
    ({ mounts }) => mounts.push({ destination: "/etc/passwd/x", type: "tmpfs" }),
    "unable to start container process: mounts[7] (tmpfs on /etc/passwd/x): resolve_like: ENOTDIR: Not a directory (something on the way is a file, or a directory is to come where a file is)",
  ],
  [
    "a mount through a loop",
    ({ mounts }, { link }) => {
      link("rootfs/loop", "loop");
      mounts.push({ destination: "/loop/x", type: "tmpfs" });
    },
    "unable to start container process: mounts[7] (tmpfs on /loop/x): fsconfig_mode_of: ELOOP: Too many levels of symbolic links (links of the image lead round in a circle, or through a descriptor in /proc)",
  ],
  [
    "a link into /proc",
    ({ mounts }, { link }) => {
      link("rootfs/way", "/proc/sys");
      mounts.push({ destination: "/way", type: "tmpfs" });
    },
    "unable to start container process: mounts[7] (tmpfs on /way): must not lie inside /proc: verify: EBADF: Bad file descriptor (choose another destination; links in the image count)",
  ],
  [
    "/proc that is a link",
    (_, { link }) => link("rootfs/proc", "tmp"),
    "unable to start container process: mounts[0] (proc on /proc): must be mounted on ordinary directory: openat: ENOTDIR: Not a directory",
  ],
  [
    "a file system that there is not",
    ({ mounts }) => mounts.push({ destination: "/x", type: "nosuchfs" }),
    "unable to start container process: mounts[7] (nosuchfs on /x): fsopen: ENODEV: No such device (the kernel has no such file system; it lists them in /proc/filesystems)",
  ],
  [
    "an option that the file system does not know",
    ({ mounts }) => mounts.push({ destination: "/x", type: "tmpfs", options: ["colour=red"] }),
    "unable to start container process: mounts[7] (tmpfs on /x): colour=red: fsconfig_string: EINVAL: Invalid argument (the file system does not know this option, or not with this value)",
  ],
  [
    "an option's value that the file system refuses",
    ({ mounts }) => mounts.push({ destination: "/x", type: "tmpfs", options: ["size=much"] }),
    "unable to start container process: mounts[7] (tmpfs on /x): size=much: fsconfig_string: EINVAL: Invalid argument (the file system does not know this option, or not with this value)",
  ],
  [
    "a block file system without a device",
    ({ mounts }) => mounts.push({ destination: "/x", type: "ext4", source: "/nowhere" }),
    "unable to start container process: mounts[7] (ext4 on /x): fsconfig_create: ENOENT: No such file or directory (is the source there, and of the kind that the file system takes?)",
  ],
  [
    "a place that a read-only root does not have",
    ({ mounts }, { at }) => {
      mounts.push({ destination: "/ro", type: "bind", source: at("rootfs/etc"), options: ["rbind", "ro"] });
      mounts.push({ destination: "/ro/new", type: "tmpfs" });
    },
    "unable to start container process: mounts[8] (tmpfs on /ro/new): resolve_like: EROFS: Read-only file system (make the place in the image, or mount it before what is above it becomes read-only)",
  ],
  [
    "/dev/null that is the image's",
    (config, { write }) => {
      config.mounts = [];
      config.linux.maskedPaths = ["/etc/passwd"];
      write("rootfs/dev/null", "");
    },
    "unable to start container process: linux.maskedPaths[0] (/etc/passwd): mask_path: ENODEV: No such device (/dev/null of the container is not the null device)",
  ],
  [
    "a device where a file is",
    ({ linux }) => (linux.devices = [{ type: "c", path: "/etc/passwd", major: 1, minor: 3 }]),
    "unable to start container process: linux.devices[0] (/etc/passwd): make_node: EEXIST: File exists (something else than this device is there already)",
  ],
  [
    "a device where another device is",
    ({ linux }) =>
      (linux.devices = [
        { type: "c", path: "/dev/one", major: 1, minor: 3 },
        { type: "c", path: "/dev/../dev/one", major: 1, minor: 5 },
      ]),
    "unable to start container process: linux.devices[1] (/dev/../dev/one): make_node: EEXIST: File exists (something else than this device is there already)",
  ],
  [
    "a device below a file",
    ({ linux }) => (linux.devices = [{ type: "c", path: "/etc/passwd/x", major: 1, minor: 3 }]),
    "unable to start container process: linux.devices[0] (/etc/passwd/x): resolve: ENOTDIR: Not a directory (something on the way is a file, or a directory is to come where a file is)",
  ],
  [
    "a sysctl that the kernel does not have",
    ({ linux }) => (linux.sysctl = { "net.nosuch.thing": "1" }),
    "unable to start container process: linux.sysctl[net.nosuch.thing]: write_file: ENOENT: No such file or directory (this kernel has no such parameter)",
  ],
  [
    "a sysctl's value that the kernel refuses",
    ({ linux }) => (linux.sysctl = { "kernel.sem": "1 1 1 99999999" }),
    "unable to start container process: linux.sysctl[kernel.sem]: write_file: ERANGE: Numerical result out of range (the kernel does not take this value)",
  ],
  [
    "a memory limit that not even a beginning has room in",
    ({ linux }) => (linux.resources.memory = { limit: 4096 }),
    "unable to start container process: linux.cgroupsPath (cpu): write_file: ECANCELED: Operation canceled (container init was OOM-killed, or ended by another process (memory limit too low?))",
    "v1",
  ],
  [
    "CPUs that the machine does not have",
    ({ linux }) => (linux.resources.cpu = { cpus: "4000" }),
    "unable to start container process: linux.resources.cpu.cpus: write_file: ERANGE: Numerical result out of range (the kernel does not take this value)",
    "v1",
  ],
  [
    "a page size that the machine does not have",
    ({ linux }) => (linux.resources.hugepageLimits = [{ pageSize: "7KB", limit: 1 }]),
    "unable to start container process: linux.resources.hugepageLimits[0]: write_file: ENOENT: No such file or directory (this kernel has no such limit)",
    "v1",
  ],
  [
    "a disk that is none",
    ({ linux }) => (linux.resources.blockIO = { throttleReadBpsDevice: [{ major: 999, minor: 9, rate: 5 }] }),
    "unable to start container process: linux.resources.blockIO.throttleReadBpsDevice[0]: write_file: ENODEV: No such device (the kernel does not take this value)",
    "v1",
  ],
  [
    "an interface that is none",
    ({ linux }) => (linux.resources.network = { priorities: [{ name: "nosuch0", priority: 1 }] }),
    "linux.resources.network.priorities[0]: the cgroup controller net_prio is not available (leave the limit out, or enable the controller (cgroup.controllers, /proc/cgroups))",
    "v1",
  ],
  [
    "unified resources without cgroup v2",
    ({ linux }) => (linux.resources.unified = { "memory.high": "1" }),
    'validate linux.resources.unified["memory.high"]: invalid configuration: unified resources need cgroup v2',
    "v1",
  ],
  [
    "a cgroup that is a file",
    ({ linux }) => (linux.cgroupsPath = "/cgroup.procs"),
    "unable to start container process: linux.cgroupsPath: openat: ENOTDIR: Not a directory (a file of the cgroup file system has this name)",
  ],
  [
    "a seccomp filter with too many rules",
    ({ linux }) =>
      (linux.seccomp = {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: Array.from({ length: 5000 }, (_, value) => ({
          names: ["read"],
          action: "SCMP_ACT_LOG",
          args: [{ index: 0, value: value * 3, op: "SCMP_CMP_EQ" }],
        })),
      }),
    "linux.seccomp.syscalls: the filter has 20111 instructions, the kernel takes 4096 (use fewer conditions on arguments)",
  ],
  [
    "a terminal without a place for it",
    ({ process }) => (process.terminal = true),
    "cannot allocate tty if runc will detach without setting console socket (give --console-socket, or process.terminal false)",
    "create",
  ],
  [
    "a hook that is not there",
    (config) => (config.hooks = { createRuntime: [{ path: "/nowhere/hook" }] }),
    "error running createRuntime hook #0: fork/exec /nowhere/hook: no such file or directory: ENOENT: no such file or directory, posix_spawn '/nowhere/hook' (hooks.createRuntime[0])",
  ],
  [
    "a hook that fails",
    (config) => (config.hooks = { prestart: hook("echo why >&2; exit 3") }),
    "error running prestart hook #0: exit status 3, stdout: , stderr: why (hooks.prestart[0])",
  ],
  [
    "a hook that fails in the container's namespaces",
    (config) => (config.hooks = { createContainer: hook("exit 4") }),
    "unable to start container process: error running createContainer hook #0: exit status 4, stdout: , stderr:",
  ],
  [
    "a hook that takes too long",
    (config) => (config.hooks = { createRuntime: [{ ...hook("exec sleep 100")[0], timeout: 1 }] }),
    "error running createRuntime hook #0: hook ran past specified timeout of 1.0s (hooks.createRuntime[0])",
  ],
  [
    "a hook that the container does not have",
    (config) => (config.hooks = { startContainer: [{ path: "/nowhere/hook" }] }),
    "error running startContainer hook #0: fork/exec /nowhere/hook: no such file or directory (hooks.startContainer[0])",
  ],
  [
    "a hook that fails when it has started",
    (config) => {
      config.process.args = ["sleep", "1000"];
      config.hooks = { poststart: hook("exit 5") };
    },
    "error running poststart hook #0: exit status 5, stdout: , stderr:  (hooks.poststart[0])",
  ],
];
