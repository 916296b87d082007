import { arch } from "node:process";
import { GalleyError } from "../../errors.ts";
import type { Machine } from "./numbers.ts";

/** One machine of a filter. `audit` is the AUDIT_ARCH_* that seccomp_data carries (uapi/linux/audit.h). */
export interface Architecture {
  readonly machine: Machine;
  readonly audit: number;
  /** Width of an argument: on the narrow ones the upper half of the registers is not looked at. */
  readonly wide: boolean;
}

export const architectures: Readonly<Record<Machine, Architecture>> = {
  x86_64: { machine: "x86_64", audit: 0xc000_003e, wide: true },
  x86: { machine: "x86", audit: 0x4000_0003, wide: false },
  x32: { machine: "x32", audit: 0xc000_003e, wide: false },
  aarch64: { machine: "aarch64", audit: 0xc000_00b7, wide: true },
  arm: { machine: "arm", audit: 0x4000_0028, wide: false },
};

const ociMachines: Readonly<Record<string, Machine | undefined>> = {
  SCMP_ARCH_X86_64: "x86_64",
  SCMP_ARCH_X86: "x86",
  SCMP_ARCH_X32: "x32",
  SCMP_ARCH_AARCH64: "aarch64",
  SCMP_ARCH_ARM: "arm",
};

/** Known to OCI, and never a machine whose programs run here: profiles list them for other hosts. */
const elsewhere = [
  "MIPS",
  "MIPS64",
  "MIPS64N32",
  "MIPSEL",
  "MIPSEL64",
  "MIPSEL64N32",
  "PPC",
  "PPC64",
  "PPC64LE",
].concat(["S390", "S390X", "PARISC", "PARISC64", "RISCV64", "LOONGARCH64", "M68K", "SH", "SHEB"]);

/** The names of all architectures, for `features` and for validation. */
export function knownArchitectures(): readonly string[] {
  return [...Object.keys(ociMachines), ...elsewhere.map((name) => `SCMP_ARCH_${name}`)];
}

/** Which machines a kernel runs beside its native one. */
const families: readonly (readonly Machine[])[] = [
  ["x86_64", "x86", "x32"],
  ["aarch64", "arm"],
];

/** The machine that this program runs on. Throws `unimplemented` where there is no table of its calls. */
export function nativeMachine(nodeArch: string = arch): Machine {
  if (nodeArch === "x64") return "x86_64";
  if (nodeArch === "arm64") return "aarch64";
  throw new GalleyError("unimplemented", `seccomp filters cannot be made for ${nodeArch} yet`, {
    hint: "run with --security-opt seccomp=unconfined",
  });
}

/**
 * The machines that a filter covers: the native one first, always, then those listed that it can run. Calls of any other kill the
 * caller. Throws `invalid_argument` for an unknown name.
 */
export function coveredMachines(listed: readonly string[], native: Machine): readonly Machine[] {
  const family = families.find((one) => one.includes(native)) ?? [native];
  const covered = new Set<Machine>([native]);
  listed.forEach((name, index) => {
    const machine = Object.hasOwn(ociMachines, name) ? ociMachines[name] : undefined;
    if (machine !== undefined && family.includes(machine)) covered.add(machine);
    else if (machine === undefined && !knownArchitectures().includes(name)) throw unknownArchitecture(name, index);
  });
  return [...covered];
}

function unknownArchitecture(name: string, index: number): GalleyError {
  return new GalleyError("invalid_argument", `unknown architecture ${JSON.stringify(name)}`, {
    subject: `linux.seccomp.architectures[${index}]`,
    hint: "names begin with SCMP_ARCH_, as SCMP_ARCH_X86_64",
  });
}
