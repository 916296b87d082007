/**
 * Profiles as docker writes them: rules that hold only for certain capabilities, architectures and kernels, which resolve.ts turns
 * into an OCI configuration. And the default profile: what docker's allows (github.com/moby/profiles, 2026-06), which is all that
 * ordinary programs need, and refuses the rest with EPERM.
 */
import type { SeccompRule } from "../../spec/runtime.ts";
import { everydayCalls } from "./everyday-calls.ts";

/** All parts that are given must apply. Architectures are named as Go does (`amd64`, `arm64`, `386` as `x86`). */
export interface ProfileFilter {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  /** `4.8`: this kernel or a newer one. */
  readonly minKernel?: string;
}

export interface ProfileRule extends SeccompRule {
  /** The rule counts only where all of this applies. */
  readonly includes?: ProfileFilter;
  /** The rule does not count where any of this applies. */
  readonly excludes?: ProfileFilter;
}

export interface SeccompProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  /** For each native architecture the others that its kernel runs. */
  readonly archMap?: readonly { readonly architecture: string; readonly subArchitectures?: readonly string[] | null }[];
  readonly flags?: readonly string[];
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls: readonly ProfileRule[];
}

const EPERM = 1;
const ENOSYS = 38;

type Args = NonNullable<SeccompRule["args"]>;

function allow(names: string, conditions: Omit<ProfileRule, "names" | "action"> = {}): ProfileRule {
  return { names: names.split(" "), action: "SCMP_ACT_ALLOW", ...conditions };
}

function allowWith(names: string, index: number, op: string, value: number, valueTwo?: number): ProfileRule {
  const args: Args = [{ index, value, op: `SCMP_CMP_${op}`, ...(valueTwo === undefined ? {} : { valueTwo }) }];
  return allow(names, { args });
}

/** Allowed with a capability: what the kernel lets only its holders do, so that the filter would but repeat it. */
const byCapability: Readonly<Record<string, string>> = {
  CAP_DAC_READ_SEARCH: "open_by_handle_at",
  CAP_SYS_ADMIN:
    "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare",
  CAP_SYS_BOOT: "reboot",
  CAP_SYS_CHROOT: "chroot",
  CAP_SYS_MODULE: "delete_module finit_module init_module",
  CAP_SYS_PACCT: "acct",
  CAP_SYS_PTRACE: "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
  CAP_SYS_RAWIO: "ioperm iopl",
  CAP_SYS_TIME: "clock_settime clock_settime64 settimeofday stime",
  CAP_SYS_TTY_CONFIG: "vhangup",
  CAP_SYS_NICE: "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
  CAP_SYSLOG: "syslog",
  CAP_BPF: "bpf",
  CAP_PERFMON: "perf_event_open",
};

/** The capabilities that make a difference to the default profile. */
export const profileCapabilities: readonly string[] = Object.keys(byCapability);

const byArchitecture: readonly (readonly [calls: string, arches: readonly string[]])[] = [
  ["swapcontext sync_file_range2", ["ppc64le"]],
  ["arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2", ["arm", "arm64"]],
  ["arch_prctl", ["amd64", "x32"]],
  ["modify_ldt", ["amd64", "x32", "x86"]],
  ["s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr", ["s390", "s390x"]],
  ["riscv_flush_icache", ["riscv64"]],
];

const AF_ALG = 38;
const AF_VSOCK = 40;

/**
 * Sockets of every family but AF_ALG, a wide and little used way into the kernel, and AF_VSOCK, which no namespace confines. 32-bit x86 programs that use socketcall(2) are not reached: its arguments lie in memory.
 */
function sockets(): ProfileRule[] {
  return [
    allowWith("socket", 0, "LT", AF_ALG),
    allowWith("socket", 0, "EQ", AF_ALG + 1),
    allowWith("socket", 0, "GT", AF_VSOCK),
  ];
}

/** PER_LINUX and PER_LINUX32, each with and without UNAME26, and the question which one is set. */
const personalities = [0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff] as const;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET: a new namespace, above all a user namespace, takes a capability. */
const NEW_NAMESPACES = 0x7e02_0000;
const s390 = ["s390", "s390x"];

/**
 * clone3's flags lie in memory, where a filter cannot look. ENOSYS makes the C library fall back to clone, EPERM would not.
 */
function namespaces(): ProfileRule[] {
  const unprivileged = { caps: ["CAP_SYS_ADMIN"] };
  return [
    { ...allowWith("clone", 0, "MASKED_EQ", NEW_NAMESPACES, 0), excludes: { ...unprivileged, arches: s390 } },
    { ...allowWith("clone", 1, "MASKED_EQ", NEW_NAMESPACES, 0), includes: { arches: s390 }, excludes: unprivileged },
    { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS, excludes: unprivileged },
  ];
}

/** For each native architecture, those whose programs its kernel runs beside its own. */
const archMap = [
  { architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] },
  { architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"] },
  { architecture: "SCMP_ARCH_S390X", subArchitectures: ["SCMP_ARCH_S390"] },
  { architecture: "SCMP_ARCH_RISCV64" },
  { architecture: "SCMP_ARCH_LOONGARCH64" },
];

/** The default profile without its rules. */
export const defaultProfileHead = { defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: EPERM, archMap } as const;

/** The default profile. Made anew for each call, which takes some 50 microseconds. */
export function defaultProfile(): SeccompProfile {
  const everyday = Object.values(everydayCalls).join(" ").replaceAll("\n", " ").split(" ");
  return {
    ...defaultProfileHead,
    syscalls: [
      { names: everyday.filter((name) => name !== ""), action: "SCMP_ACT_ALLOW" },
      // Before 4.8 a tracer could change a call after the filter had seen it.
      allow("process_vm_readv process_vm_writev ptrace", { includes: { minKernel: "4.8" } }),
      ...sockets(),
      ...personalities.map((value) => allowWith("personality", 0, "EQ", value)),
      ...byArchitecture.map(([names, arches]) => allow(names, { includes: { arches } })),
      ...Object.entries(byCapability).map(([capability, names]) => allow(names, { includes: { caps: [capability] } })),
      ...namespaces(),
    ],
  };
}
