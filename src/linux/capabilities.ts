import { readFileSync } from "node:fs";
import { GalleyError } from "../errors.ts";
import type { CapabilitySets } from "../spec/runtime.ts";

/** Capabilities by number (uapi/linux/capability.h), without their `CAP_` prefix. */
const names = [
  "CHOWN",
  "DAC_OVERRIDE",
  "DAC_READ_SEARCH",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETPCAP",
  "LINUX_IMMUTABLE",
  "NET_BIND_SERVICE",
  "NET_BROADCAST",
  "NET_ADMIN",
  "NET_RAW",
  "IPC_LOCK",
  "IPC_OWNER",
  "SYS_MODULE",
  "SYS_RAWIO",
  "SYS_CHROOT",
  "SYS_PTRACE",
  "SYS_PACCT",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_NICE",
  "SYS_RESOURCE",
  "SYS_TIME",
  "SYS_TTY_CONFIG",
  "MKNOD",
  "LEASE",
  "AUDIT_WRITE",
  "AUDIT_CONTROL",
  "SETFCAP",
  "MAC_OVERRIDE",
  "MAC_ADMIN",
  "SYSLOG",
  "WAKE_ALARM",
  "BLOCK_SUSPEND",
  "AUDIT_READ",
  "PERFMON",
  "BPF",
  "CHECKPOINT_RESTORE",
] as const;

/** The last capability that this program knows by name. */
export const LAST_KNOWN_CAPABILITY = names.length - 1;

/** What docker leaves a container with when nothing is added or dropped. */
export const defaultCapabilities: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
];

/** 21 for `CAP_SYS_ADMIN`, `SYS_ADMIN` or `sys_admin`; undefined for an unknown name. */
export function capabilityNumber(name: string): number | undefined {
  const upper = name.toUpperCase();
  const number = (names as readonly string[]).indexOf(upper.startsWith("CAP_") ? upper.slice(4) : upper);
  return number < 0 ? undefined : number;
}

/** `CAP_SYS_ADMIN` for 21, `CAP_41` for a number newer than this program. */
export function capabilityName(number: number): string {
  return `CAP_${names[number] ?? number}`;
}

/** Names of all capabilities up to the kernel's last one, in the order of their numbers. */
export function allCapabilities(last: number): readonly string[] {
  return names.slice(0, last + 1).map((name) => `CAP_${name}`);
}

let ofThisKernel: number | undefined;

/** The highest capability of the running kernel, read once. Where that cannot be read, the last known one. */
export function lastCapability(): number {
  ofThisKernel ??= readLastCapability((path) => readFileSync(path, "utf8"));
  return ofThisKernel;
}

/** {@link lastCapability} by what `read` gives for /proc/sys/kernel/cap_last_cap. */
export function readLastCapability(read: (path: string) => string): number {
  try {
    const number = Number.parseInt(read("/proc/sys/kernel/cap_last_cap"), 10);
    return Number.isNaN(number) ? LAST_KNOWN_CAPABILITY : number;
  } catch {
    return LAST_KNOWN_CAPABILITY;
  }
}

export interface CapabilityRequest {
  /** `--cap-add`: names with or without `CAP_`, in any case, or `ALL`. */
  readonly add?: readonly string[];
  /** `--cap-drop`, likewise. */
  readonly drop?: readonly string[];
  readonly privileged?: boolean;
}

/**
 * The capabilities of a container, as docker resolves `--cap-add` and `--cap-drop`: `ALL` added means all but those dropped,
 * `ALL` dropped means only those added, otherwise drops are taken from the defaults and adds appended (an added one wins over
 * the same one dropped). Throws `invalid_argument` for an unknown name or one beyond the kernel's last.
 */
export function resolveCapabilities(request: CapabilityRequest, last: number = lastCapability()): readonly string[] {
  if (request.privileged) return allCapabilities(last);
  const drop = (request.drop ?? []).map((name) => normalize(name, last));
  const add = (request.add ?? []).map((name) => normalize(name, last));
  if (add.includes("ALL")) return allCapabilities(last).filter((name) => !drop.includes(name));
  const kept = drop.includes("ALL") ? [] : defaultCapabilities.filter((name) => !drop.includes(name));
  return [...new Set([...kept, ...add])];
}

function normalize(name: string, last: number): string {
  if (name.toUpperCase() === "ALL") return "ALL";
  const number = capabilityNumber(name);
  if (number === undefined) {
    throw new GalleyError("invalid_argument", `unknown capability: "CAP_${name.toUpperCase().replace(/^CAP_/, "")}"`, {
      hint: "capabilities(7) lists the names; ALL means every one",
    });
  }
  if (number > last) {
    throw new GalleyError("invalid_argument", `capability not supported by your kernel: "${capabilityName(number)}"`);
  }
  return capabilityName(number);
}

/** A set as a bit mask, with the names that are unknown here or to the kernel: runtimes warn of them and go on. */
export function capabilityMask(
  set: readonly string[] | undefined,
  last: number,
): { readonly mask: bigint; readonly unknown: readonly string[] } {
  let mask = 0n;
  const unknown: string[] = [];
  for (const name of set ?? []) {
    const number = name.startsWith("CAP_") ? (names as readonly string[]).indexOf(name.slice(4)) : -1;
    if (number < 0 || number > last) unknown.push(name);
    else mask |= 1n << BigInt(number);
  }
  return { mask, unknown };
}

/** Numbers of the capabilities in a mask, ascending. */
export function capabilityNumbers(mask: bigint): number[] {
  const numbers: number[] = [];
  for (let number = 0; mask >> BigInt(number) > 0n; number += 1) {
    if ((mask >> BigInt(number)) & 1n) numbers.push(number);
  }
  return numbers;
}

/** What sets a process's five capability sets. The order is the kernel's need: drop, (change user), capset, raise ambient. */
export interface CapabilityPlan {
  /** For prctl(PR_CAPBSET_DROP), each. Needs CAP_SETPCAP, so before {@link CapabilityPlan.data}. */
  readonly boundingDrops: readonly number[];
  /** capset(2)'s header: version 3, pid 0. */
  readonly header: Uint8Array;
  /** capset(2)'s two data structures. */
  readonly data: Uint8Array;
  /** For prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE), each, after capset: those that are permitted and inheritable too. */
  readonly ambient: readonly number[];
  /** Names to warn of. */
  readonly unknown: readonly string[];
}

/** Compiles OCI capability sets for a kernel whose highest capability is `last`. Absent sets are empty, as in the specification. */
export function planCapabilities(sets: CapabilitySets, last: number = lastCapability()): CapabilityPlan {
  const unknown = new Set<string>();
  const maskOf = (set: readonly string[] | undefined): bigint => {
    const read = capabilityMask(set, last);
    for (const name of read.unknown) unknown.add(name);
    return read.mask;
  };
  const all = (1n << BigInt(last + 1)) - 1n;
  const bounding = maskOf(sets.bounding);
  const [effective, permitted] = [maskOf(sets.effective), maskOf(sets.permitted)];
  const [inheritable, wanted] = [maskOf(sets.inheritable), maskOf(sets.ambient)];
  return {
    boundingDrops: capabilityNumbers(all & ~bounding),
    header: capsetHeader(),
    data: capsetData(effective, permitted, inheritable),
    ambient: capabilityNumbers(wanted & permitted & inheritable),
    unknown: [...unknown],
  };
}

const CAPABILITY_VERSION_3 = 0x2008_0522;

/** struct __user_cap_header_struct for version 3 and the calling thread, 8 bytes. */
export function capsetHeader(): Uint8Array {
  return new Uint8Array(Uint32Array.of(CAPABILITY_VERSION_3, 0).buffer);
}

/** Two struct __user_cap_data_struct, 24 bytes: {effective, permitted, inheritable} of capabilities 0 to 31, then of 32 to 63. */
export function capsetData(effective: bigint, permitted: bigint, inheritable: bigint): Uint8Array {
  const low = (mask: bigint): number => Number(mask & 0xffff_ffffn);
  const high = (mask: bigint): number => Number(mask >> 32n);
  const words = Uint32Array.of(
    low(effective),
    low(permitted),
    low(inheritable),
    high(effective),
    high(permitted),
    high(inheritable),
  );
  return new Uint8Array(words.buffer);
}
