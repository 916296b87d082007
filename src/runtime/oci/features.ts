/** What this runtime does (runtime-spec features.md): each list is asked of the code that does it. */
import { allCapabilities, lastCapability } from "../../linux/capabilities.ts";
import { mountWord } from "../../linux/mount-words.ts";
import { knownActions } from "../../linux/seccomp/actions.ts";
import { knownArchitectures } from "../../linux/seccomp/architectures.ts";
import { knownOperators } from "../../linux/seccomp/conditions.ts";
import { knownFlags } from "../../linux/seccomp/flags.ts";
import { memoryFlags, memoryModes } from "../../spec/scheduling-words.ts";
import { cloneFlags } from "../namespaces.ts";

/** Every option word of mount(8) and of the specification. */
const words =
  "acl async atime bind defaults dev diratime dirsync exec idmap iversion lazytime loud mand noacl noatime nodev nodiratime noexec noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime relatime remount rexec ridmap rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw shared silent slave strictatime suid symfollow sync tmpcopyup unbindable".split(
    " ",
  );

/** The document that `features` prints. */
export function features(): Record<string, unknown> {
  return {
    ociVersionMin: "1.0.0",
    ociVersionMax: "1.3.0",
    hooks: ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
    mountOptions: words.filter((word) => mountWord(word) !== undefined),
    potentiallyUnsafeConfigAnnotations: ["org.systemd.property.", "org.criu.config"],
    linux: {
      namespaces: Object.keys(cloneFlags).sort(),
      capabilities: allCapabilities(lastCapability()),
      cgroup: {
        v1: true,
        v2: true,
        systemd: true,
        systemdUser: true,
        rdma: true,
      },
      seccomp: {
        enabled: true,
        actions: knownActions,
        operators: knownOperators,
        archs: knownArchitectures(),
        knownFlags,
        supportedFlags: knownFlags,
      },
      apparmor: { enabled: true },
      selinux: { enabled: true },
      memoryPolicy: { modes: Object.keys(memoryModes).sort(), flags: Object.keys(memoryFlags) },
      intelRdt: { enabled: true, schemata: true, monitoring: true },
      mountExtensions: { idmap: { enabled: true } },
      netDevices: { enabled: true },
    },
  };
}
