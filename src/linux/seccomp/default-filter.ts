/**
 * The default profile for one container, without the work where it is not needed. Nearly every container has the default
 * capabilities: the program for those is part of the release (prebuilt.ts), and the rules behind it are only written out for who
 * looks at them. Compiling takes some 10 ms in a process that has just begun.
 */
import type { SeccompConfig, SeccompRule } from "../../spec/runtime.ts";
import { kernelAtLeast } from "../kernel-version.ts";
import { nativeMachine } from "./architectures.ts";
import type { Machine } from "./numbers.ts";
import { prebuilt } from "./prebuilt.ts";
import { defaultProfile, defaultProfileHead, profileCapabilities } from "./profile.ts";
import { rememberOrigin } from "./ready-programs.ts";
import { type ProfileTarget, resolveProfile } from "./resolve.ts";

/** The default capabilities that make a difference to the profile. */
const usual = ["CAP_SYS_CHROOT"];

/** {@link resolveProfile} of {@link defaultProfile}; `syscalls` is made when it is first read. Never changed once made. */
export function defaultSeccomp(target: ProfileTarget): SeccompConfig {
  const machine = target.machine ?? nativeMachine();
  const relevant = profileCapabilities.filter((name) => target.capabilities.includes(name)).join();
  const isNew = kernelAtLeast(4, 8, target.kernel);
  const config = lazyConfig(machine, target);
  const program = isNew && relevant === usual.join() ? prebuilt[machine] : undefined;
  rememberOrigin(config, {
    native: machine,
    name: `default profile, ${isNew ? "new" : "old"} kernel, ${relevant}`,
    ...(program === undefined ? {} : { program: () => Uint8Array.fromBase64(program) }),
  });
  return config;
}

function lazyConfig(machine: Machine, target: ProfileTarget): SeccompConfig {
  let rules: readonly SeccompRule[] | undefined;
  const { syscalls: _, ...head } = resolveProfile({ ...defaultProfileHead, syscalls: [] }, { ...target, machine });
  return {
    ...head,
    get syscalls() {
      rules ??= resolveProfile(defaultProfile(), { ...target, machine }).syscalls ?? [];
      return rules;
    },
  };
}
