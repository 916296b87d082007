/** As broken-configs.ts: limits, seccomp and hooks. */
import type { Break } from "./broken-bundle.ts";

export const brokenResources: readonly Break[] = [
  [
    "a memory limit below nothing",
    ({ linux }) => (linux.resources.memory = { limit: -2 }),
    "validate linux.resources.memory.limit: must be at least -1 (unlimited), is -2",
  ],
  [
    "less swap than memory",
    ({ linux }) => (linux.resources.memory = { limit: 200000000, swap: 100000000 }),
    "validate linux.resources.memory.swap: the limit of memory and swap together (100000000) is below that of memory (200000000)",
  ],
  [
    "a CPU period out of range",
    ({ linux }) => (linux.resources.cpu = { period: 5 }),
    "validate linux.resources.cpu.period: must be between 1000 and 1000000 microseconds, is 5",
  ],
  [
    "a burst above its quota",
    ({ linux }) => (linux.resources.cpu = { quota: 10000, burst: 20000 }),
    "validate linux.resources.cpu.burst: is above the quota of 10000",
  ],
  [
    "fewer shares than there are",
    ({ linux }) => (linux.resources.cpu = { shares: 1 }),
    "linux.resources.cpu.shares: the minimum allowed cpu-shares is 2",
    "v1",
  ],
  [
    "a weight out of range",
    ({ linux }) => (linux.resources.blockIO = { weight: 5 }),
    "validate linux.resources.blockIO.weight: must be between 10 and 1000, is 5",
  ],
  [
    "a weight of nothing",
    ({ linux }) => (linux.resources.blockIO = { weightDevice: [{ major: 8, minor: 0 }] }),
    "validate linux.resources.blockIO.weightDevice[0]: needs weight or leafWeight",
  ],
  [
    "a page size that is none",
    ({ linux }) => (linux.resources.hugepageLimits = [{ pageSize: "2M", limit: 1 }]),
    'validate linux.resources.hugepageLimits[0].pageSize: is not a page size: "2M" (write it as 2MB)',
  ],
  [
    "an RDMA limit of nothing",
    ({ linux }) => (linux.resources.rdma = { mlx: {} }),
    "validate linux.resources.rdma.mlx: needs hcaHandles or hcaObjects",
  ],
  [
    "a device rule of no letters",
    ({ linux }) => (linux.resources.devices = [{ allow: true, type: "c", access: "x" }]),
    'validate linux.resources.devices[0].access: unknown access "x" (use the letters r, w and m)',
  ],
  [
    "a cgroup that is the top",
    ({ linux }) => (linux.cgroupsPath = "/"),
    "linux.cgroupsPath: must name a cgroup below the top",
  ],
  [
    "a seccomp action that is none",
    ({ linux }) => (linux.seccomp = { defaultAction: "SCMP_ACT_MAYBE" }),
    'validate linux.seccomp.defaultAction: unknown action "SCMP_ACT_MAYBE" (use one of SCMP_ACT_KILL, SCMP_ACT_KILL_THREAD, SCMP_ACT_KILL_PROCESS, SCMP_ACT_TRAP, SCMP_ACT_ERRNO, SCMP_ACT_TRACE, SCMP_ACT_ALLOW, SCMP_ACT_LOG, SCMP_ACT_NOTIFY)',
  ],
  [
    "a seccomp operator that is none",
    ({ linux }) =>
      (linux.seccomp = {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["read"], action: "SCMP_ACT_KILL", args: [{ index: 0, value: 1, op: "EQ" }] }],
      }),
    'validate linux.seccomp.syscalls[0].args[0].op: unknown operator "EQ" (use one of SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE, SCMP_CMP_EQ, SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ)',
  ],
  [
    "a seccomp error of an action without",
    ({ linux }) => (linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", defaultErrnoRet: 5 }),
    "validate linux.seccomp.defaultErrnoRet: SCMP_ACT_ALLOW returns no error number (leave it out, or use SCMP_ACT_ERRNO or SCMP_ACT_TRACE)",
  ],
  [
    "a seccomp architecture that is none",
    ({ linux }) => (linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_VAX"] }),
    'validate linux.seccomp.architectures[0]: unknown architecture "SCMP_ARCH_VAX" (use one of SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32, SCMP_ARCH_AARCH64, SCMP_ARCH_ARM, SCMP_ARCH_MIPS, SCMP_ARCH_MIPS64, SCMP_ARCH_MIPS64N32, SCMP_ARCH_MIPSEL, SCMP_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL64N32, SCMP_ARCH_PPC, SCMP_ARCH_PPC64, SCMP_ARCH_PPC64LE, SCMP_ARCH_S390, SCMP_ARCH_S390X, SCMP_ARCH_PARISC, SCMP_ARCH_PARISC64, SCMP_ARCH_RISCV64, SCMP_ARCH_LOONGARCH64, SCMP_ARCH_M68K, SCMP_ARCH_SH, SCMP_ARCH_SHEB)',
  ],
  [
    "a seccomp listener that is not named",
    ({ linux }) =>
      (linux.seccomp = {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }],
      }),
    "validate linux.seccomp.listenerPath: is required by SCMP_ACT_NOTIFY",
  ],
  [
    "a hook by a relative path",
    (config) => (config.hooks = { prestart: [{ path: "true" }] }),
    "validate hooks.prestart[0].path: must be an absolute path",
  ],
  [
    "a hook of no time",
    (config) => (config.hooks = { poststop: [{ path: "/bin/true", timeout: 0 }] }),
    "validate hooks.poststop[0].timeout: must be more than 0 seconds, is 0",
  ],
  [
    "a hook's variable without a value",
    (config) => (config.hooks = { poststart: [{ path: "/bin/true", env: ["A"] }] }),
    "validate hooks.poststart[0].env[0]: must be of the form NAME=value",
  ],
  [
    "more mounts than a recipe holds",
    ({ mounts }) => {
      for (let index = 0; index < 3000; index++) mounts.push({ destination: `/m/${index}`, type: "tmpfs" });
    },
    "mounts: takes too much: MANY steps inside, of at most 8192 (ask for less of it)",
  ],
];
