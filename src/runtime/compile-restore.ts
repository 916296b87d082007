import { dirname } from "node:path";
import { detectCgroups } from "../linux/cgroups/detect.ts";
import type { ResctrlGroup } from "../linux/resctrl/group.ts";
import { stringList } from "../recipe/encode.ts";
import { CWD, NONE, resolveKind } from "../recipe/ops.ts";
import { type Recipe, type Step, step } from "../recipe/recipe.ts";
import type { RuntimeConfig } from "../spec/runtime.ts";
import { compileCgroup } from "./cgroup.ts";
import { forgetCgroup } from "./cgroup-entry.ts";
import { compileResctrl } from "./resctrl.ts";
import { compileRoot, rootPropagation } from "./root.ts";
import { flag, point, slot } from "./slots.ts";

/** A place that a mount of the container needs and that CRIU does not make. */
export interface MountPlace {
  /** The directory that holds it: the root file system, or the source of a bind that it lies in. */
  readonly top: string;
  /** Below that directory. */
  readonly path: string;
  readonly directory: boolean;
}

/** What CRIU is started in to restore a container. */
export interface RestoreScene {
  readonly config: RuntimeConfig;
  readonly rootfs: string;
  /** An empty directory, on which the root is mounted for CRIU alone: it takes no root that is no mount. */
  readonly mountPoint: string;
  readonly places: readonly MountPlace[];
  /** Path of criu. */
  readonly criu: string;
  readonly resctrl: ResctrlGroup | undefined;
  /** Gets `PID STARTTIME` of criu. */
  readonly identity: string;
}

/**
 * Compiles the start of a CRIU that restores: it is born in the container's cgroup, with its limits, and the root is mounted for it
 * in the mount namespace of its caller, which is not to be the host's. The sections of the end are those of the container's own start.
 */
export function compileRestore(scene: RestoreScene): Recipe {
  const { linux = {} } = scene.config;
  const cgroup = compileCgroup(linux, detectCgroups());
  const { pause, resume, kill } = cgroup;
  const resctrl = scene.resctrl === undefined ? undefined : compileResctrl(scene.resctrl);
  return {
    sections: {
      outside: [
        ...cgroup.before,
        ...(resctrl?.before ?? []),
        step("clone", [0, cgroup.cloneInto ?? NONE, 1], { out: slot.pidfd, cause: "criu" }),
        step("write_identity", [scene.identity], { cause: "criu" }),
        ...cgroup.prepare,
        ...(resctrl?.join ?? []),
        step("signal", [point.cgroup], { cause: "cgroup ready" }),
      ],
      inside: [...forgetCgroup(cgroup), ...insideSteps(scene), ...enter(cgroup.enter), run(scene.criu)],
      cleanup: [...cgroup.cleanup, ...(resctrl?.cleanup ?? [])],
      pause,
      resume,
      kill,
    },
  };
}

function insideSteps({ rootfs, mountPoint, places }: RestoreScene): Step[] {
  const options = { layerByLayer: true, around: "/", inUserNamespace: false, inHost: false };
  const root = { kind: "directory", path: rootfs } as const;
  return [...compileRoot(root, mountPoint, rootPropagation(), options), ...places.flatMap(makePlace)];
}

function makePlace({ top, path, directory }: MountPlace): Step[] {
  const cause = `mounts (${path})`;
  const kind = directory ? resolveKind.directory : resolveKind.file;
  return [
    step("openat", [CWD, top, flag.O_PATH | flag.O_DIRECTORY | flag.O_CLOEXEC, 0], { out: slot.mount, cause }),
    step("resolve", [slot.mount, path, kind, 0o755], { out: slot.target, cause }),
  ];
}

function enter(steps: readonly Step[]): Step[] {
  return [step("wait", [point.cgroup], { cause: "cgroup ready" }), ...steps];
}

/** With the search path alone: CRIU calls programs of the host, `iptables` and `tar` among them. */
function run(criu: string): Step {
  const path = `PATH=${process.env.PATH ?? `/usr/sbin:/usr/bin:/sbin:/bin:${dirname(criu)}`}`;
  return step("exec", [stringList([criu, "swrk", "3"]), stringList([path]), ""], { cause: "criu" });
}
