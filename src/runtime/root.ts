import { encodeMountAttr } from "../linux/mount-options.ts";
import { mountAttr, mountFlag } from "../linux/mount-words.ts";
import { CWD } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import { flag, slot } from "./slots.ts";
import type { RootSource } from "./types.ts";

/** Since 6.5 overlayfs takes its layers one by one; before, as one string, which fsconfig cuts at 256 bytes. */
export interface RootOptions {
  readonly layerByLayer: boolean;
}

const PROPAGATION: Readonly<Record<string, number>> = {
  "": mountFlag.SLAVE,
  slave: mountFlag.SLAVE,
  rslave: mountFlag.SLAVE,
  private: mountFlag.PRIVATE,
  rprivate: mountFlag.PRIVATE,
  shared: mountFlag.SHARED,
  rshared: mountFlag.SHARED,
  unbindable: mountFlag.UNBINDABLE,
  runbindable: mountFlag.UNBINDABLE,
};

/** Inside, first in the new mount namespace: nothing that is mounted here reaches the host. Then the root, on `mountPoint`. */
export function compileRoot(root: RootSource, mountPoint: string, propagation: string, options: RootOptions): Step[] {
  const kind = PROPAGATION[propagation] ?? mountFlag.SLAVE;
  const made = root.kind === "overlay" ? overlay(root, mountPoint, options) : directory(root.path);
  const attach = step("move_mount", [slot.root, "", CWD, mountPoint, flag.MOVE_MOUNT_F_EMPTY_PATH], { cause: "root" });
  const legacy = root.kind === "overlay" && !options.layerByLayer;
  return [
    step("mount_setattr", [CWD, "/", flag.AT_RECURSIVE, encodeMountAttr({ set: 0, clear: 0 }, kind)], {
      cause: "linux.rootfsPropagation",
    }),
    ...made,
    ...(legacy ? [] : [attach]),
  ];
}

function overlay(root: Extract<RootSource, { kind: "overlay" }>, mountPoint: string, options: RootOptions): Step[] {
  if (!options.layerByLayer) return legacyOverlay(root, mountPoint);
  const cause = "root.path (overlayfs)";
  const set = (key: string, value: string): Step => step("fsconfig_string", [slot.mount, key, value], { cause });
  return [
    step("fsopen", ["overlay", flag.FSOPEN_CLOEXEC], { out: slot.mount, cause }),
    ...root.lower.map((layer) => set("lowerdir+", layer)),
    set("upperdir", root.upper),
    set("workdir", root.work),
    // An upper directory is the container's: what it says of other places in the layers is not to be followed.
    set("redirect_dir", "off"),
    set("metacopy", "off"),
    step("fsconfig_create", [slot.mount], { cause }),
    step("fsmount", [slot.mount, flag.FSMOUNT_CLOEXEC, 0], { out: slot.root, cause }),
    step("close", [slot.mount], { cause }),
  ];
}

/** mount(2) takes a page of options; separators in paths are escaped as overlayfs reads them. */
function legacyOverlay(root: Extract<RootSource, { kind: "overlay" }>, mountPoint: string): Step[] {
  const cause = "root.path (overlayfs)";
  const quote = (path: string): string => path.replace(/[\\:,]/g, "\\$&");
  const data = `lowerdir=${root.lower.map(quote).join(":")},upperdir=${quote(root.upper)},workdir=${quote(root.work)},redirect_dir=off,metacopy=off`;
  return [
    step("mount", ["overlay", mountPoint, "overlay", 0, data], { cause }),
    step("openat", [CWD, mountPoint, flag.O_PATH | flag.O_DIRECTORY | flag.O_CLOEXEC, 0], { out: slot.root, cause }),
  ];
}

function directory(path: string): Step[] {
  const flags = flag.OPEN_TREE_CLONE | flag.OPEN_TREE_CLOEXEC | flag.AT_RECURSIVE;
  return [step("open_tree", [CWD, path, flags], { out: slot.root, cause: `root.path (${path})` })];
}

/** The root becomes `/`; the host's tree is let go of. The working directory is `/` then. */
export function enterRoot(readonly: boolean): Step[] {
  const cause = "root (pivot_root)";
  const here = flag.O_PATH | flag.O_DIRECTORY | flag.O_CLOEXEC;
  const lock = step(
    "mount_setattr",
    [slot.root, "", flag.AT_EMPTY_PATH, encodeMountAttr({ set: mountAttr.RDONLY, clear: 0 })],
    { cause: "root.readonly" },
  );
  return [
    ...(readonly ? [lock] : []),
    step("openat", [CWD, "/", here, 0], { out: slot.oldRoot, cause }),
    step("fchdir", [slot.root], { cause }),
    step("pivot_root", [".", "."], { cause }),
    step("fchdir", [slot.oldRoot], { cause }),
    step("umount", [".", flag.MNT_DETACH], { cause }),
    step("chdir", ["/"], { cause }),
    step("close", [slot.oldRoot], { cause }),
  ];
}
