/**
 * Labels of security modules, as runc applies them: an AppArmor profile and an SELinux label for the next exec (apparmor(7),
 * proc_pid_attr(5)), SELinux contexts for what is mounted. Loaded where a configuration has one.
 */
import { existsSync } from "node:fs";
import { GalleyError } from "../errors.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { MountConfig, ProcessConfig } from "../spec/runtime.ts";
import { isBindMount } from "../spec/validate/mounts.ts";
import { utf8 } from "./bytes.ts";
import { flag, slot } from "./slots.ts";

export interface Labels {
  /** Inside, while the host's /proc is at hand: that of the container may be anything. */
  readonly open: readonly Step[];
  /** Inside, as the last of what is privileged but for the keyring, whose label comes before it. */
  readonly apply: readonly Step[];
}

type Exists = (path: string) => boolean;

/** Throws `invalid_argument` for an SELinux label on a machine without SELinux. A missing AppArmor is told by the kernel. */
export function compileLabels(process: ProcessConfig, exists: Exists = existsSync): Labels {
  const { apparmorProfile: profile = "", selinuxLabel: label = "" } = process;
  if (label !== "" && !exists("/sys/fs/selinux/enforce")) {
    throw new GalleyError(
      "invalid_argument",
      "selinux label is specified in config, but selinux is disabled or not supported",
      { subject: "process.selinuxLabel" },
    );
  }
  const apply = [
    ...(label === "" ? [] : [write("keycreate", label, SELINUX), write("exec", label, SELINUX)]),
    ...(profile === "" ? [] : [write(profileFile(exists), `exec ${profile}`, APPARMOR)]),
  ];
  return { open: [step("open_proc", [], { out: slot.labels, cause: apply[0]?.cause ?? "labels" })], apply };
}

const SELINUX = "process.selinuxLabel";
const APPARMOR = "process.apparmorProfile";

/** Linux 5.8 has a directory for each module; before, the one module that is active has the file. */
function profileFile(exists: Exists): string {
  return exists("/proc/self/attr/apparmor/exec") ? "apparmor/exec" : "exec";
}

function write(file: string, text: string, cause: string): Step {
  return step("write_file", [slot.labels, `attr/${file}`, utf8(text), flag.O_WRONLY, 0], { cause });
}

/** File systems that have labels of the kernel's own, and mounts of what is there already. */
const unlabelled = new Set(["proc", "sysfs", "cgroup", "cgroup2", "mqueue", "bind"]);

/** linux.mountLabel: the context of the file systems that are mounted for the container. */
export function labelMounts(mounts: readonly MountConfig[], label: string): readonly MountConfig[] {
  return mounts.map((mount) => {
    const { type = "bind", options = [] } = mount;
    return isBindMount(mount) || unlabelled.has(type)
      ? mount
      : { ...mount, options: [...options, `context="${label}"`] };
  });
}
