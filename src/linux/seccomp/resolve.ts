/** From a profile to the configuration that holds for one container on one machine. */
import { GalleyError } from "../../errors.ts";
import type { SeccompConfig, SeccompRule } from "../../spec/runtime.ts";
import { kernelAtLeast, kernelVersion } from "../kernel-version.ts";
import { nativeMachine } from "./architectures.ts";
import type { Machine } from "./numbers.ts";
import type { ProfileFilter, ProfileRule, SeccompProfile } from "./profile.ts";

/** What the conditions of a profile are about. */
export interface ProfileTarget {
  /** The container's bounding set, with `CAP_`. */
  readonly capabilities: readonly string[];
  readonly machine?: Machine;
  /** The kernel's release; the running one's where absent. */
  readonly kernel?: string;
}

/** docker's name of a machine in `arches`, and OCI's in `archMap`. */
const names: Readonly<Record<Machine, readonly [docker: string, oci: string]>> = {
  x86_64: ["amd64", "SCMP_ARCH_X86_64"],
  x86: ["x86", "SCMP_ARCH_X86"],
  x32: ["x32", "SCMP_ARCH_X32"],
  aarch64: ["arm64", "SCMP_ARCH_AARCH64"],
  arm: ["arm", "SCMP_ARCH_ARM"],
};

/** Keeps the rules that apply and drops their conditions. Throws `invalid_argument` for a malformed kernel version. */
export function resolveProfile(profile: SeccompProfile, target: ProfileTarget): SeccompConfig {
  const machine = target.machine ?? nativeMachine();
  const rules = profile.syscalls.filter((rule) => applies(rule, target, names[machine][0]));
  const { defaultErrnoRet, flags, listenerPath, listenerMetadata } = profile;
  return {
    defaultAction: profile.defaultAction,
    ...(defaultErrnoRet === undefined ? {} : { defaultErrnoRet }),
    architectures: [...(profile.architectures ?? []), ...mappedArchitectures(profile, names[machine][1])],
    ...(flags === undefined ? {} : { flags }),
    ...(listenerPath === undefined ? {} : { listenerPath }),
    ...(listenerMetadata === undefined ? {} : { listenerMetadata }),
    syscalls: rules.map(plainRule),
  };
}

function mappedArchitectures(profile: SeccompProfile, native: string): readonly string[] {
  const entry = profile.archMap?.find(({ architecture }) => architecture === native);
  return entry === undefined ? [] : [native, ...(entry.subArchitectures ?? [])];
}

function applies({ includes, excludes }: ProfileRule, target: ProfileTarget, machine: string): boolean {
  return (
    (includes === undefined || matchesAll(includes, target, machine)) && !matchesAny(excludes ?? {}, target, machine)
  );
}

function matchesAll({ arches, caps, minKernel }: ProfileFilter, target: ProfileTarget, machine: string): boolean {
  if (arches !== undefined && arches.length > 0 && !arches.includes(machine)) return false;
  if (caps?.some((name) => !target.capabilities.includes(name)) === true) return false;
  return minKernel === undefined || minKernel === "" || isAtLeast(minKernel, target);
}

function matchesAny({ arches, caps, minKernel }: ProfileFilter, target: ProfileTarget, machine: string): boolean {
  if (arches?.includes(machine) === true) return true;
  if (caps?.some((name) => target.capabilities.includes(name)) === true) return true;
  return minKernel !== undefined && minKernel !== "" && isAtLeast(minKernel, target);
}

function isAtLeast(version: string, { kernel }: ProfileTarget): boolean {
  if (!/^[0-9]+\.[0-9]+$/.test(version) || version === "0.0") {
    throw new GalleyError("invalid_argument", `invalid kernel version: ${JSON.stringify(version)}`, {
      subject: "minKernel",
      hint: 'write "<kernel>.<major>", as "4.8"',
    });
  }
  const [major, minor] = kernelVersion(version);
  return kernelAtLeast(major, minor, kernel);
}

function plainRule({ names: calls, action, errnoRet, args }: ProfileRule): SeccompRule {
  return {
    names: calls,
    action,
    ...(errnoRet === undefined ? {} : { errnoRet }),
    ...(args === undefined ? {} : { args }),
  };
}
