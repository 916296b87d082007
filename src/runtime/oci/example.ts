/** The configuration that `spec` writes: a shell with a terminal, confined as runc's example is. */
import { detectCgroups } from "../../linux/cgroups/detect.ts";
import type { MountConfig, RuntimeConfig } from "../../spec/runtime.ts";

const capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

const mounts: readonly MountConfig[] = [
  { destination: "/proc", type: "proc", source: "proc" },
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
  {
    destination: "/dev/shm",
    type: "tmpfs",
    source: "shm",
    options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
  },
  { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] },
  { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"] },
  {
    destination: "/sys/fs/cgroup",
    type: "cgroup",
    source: "cgroup",
    options: ["nosuid", "noexec", "nodev", "relatime", "ro"],
  },
];

/**
 * For root. With cgroup v1 beside, a cgroup namespace is not asked for: what is mounted there is the container's own in any case.
 * @param unified whether cgroup v2 is alone
 */
export function exampleConfig(unified = detectCgroups().mode === "v2"): RuntimeConfig {
  return {
    ociVersion: "1.3.0",
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ["sh"],
      env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
      cwd: "/",
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: "rootfs", readonly: true },
    hostname: "runc",
    mounts,
    linux: {
      resources: { devices: [{ allow: false, access: "rwm" }] },
      namespaces: [
        { type: "pid" },
        { type: "network" },
        { type: "ipc" },
        { type: "uts" },
        { type: "mount" },
        ...(unified ? [{ type: "cgroup" } as const] : []),
      ],
      maskedPaths: [
        "/proc/acpi",
        "/proc/asound",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/proc/sched_debug",
        "/sys/firmware",
        "/proc/scsi",
      ],
      readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    },
  };
}

/** For a user without privileges: a user namespace of its own, and nothing that needs the host's root. */
export function rootlessConfig(): RuntimeConfig {
  const config = exampleConfig();
  const { resources: _, namespaces = [], maskedPaths = [], readonlyPaths = [] } = config.linux ?? {};
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  return {
    ...config,
    mounts: mounts.flatMap((mount) => rootlessMount(mount)),
    linux: {
      uidMappings: [{ containerID: 0, hostID: uid, size: 1 }],
      gidMappings: [{ containerID: 0, hostID: gid, size: 1 }],
      namespaces: [...namespaces.filter(({ type }) => type !== "network"), { type: "user" }],
      maskedPaths,
      readonlyPaths,
    },
  };
}

/** sysfs needs a network namespace of one's own, and gid 5 is mapped to nobody. */
function rootlessMount(mount: MountConfig): readonly MountConfig[] {
  if (mount.destination === "/sys") {
    return [
      { destination: "/sys", type: "none", source: "/sys", options: ["rbind", "nosuid", "noexec", "nodev", "ro"] },
    ];
  }
  return [{ ...mount, ...(mount.options ? { options: mount.options.filter((option) => option !== "gid=5") } : {}) }];
}
