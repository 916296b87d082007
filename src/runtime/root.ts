import { GalleyError } from "../errors.ts";
import { errno } from "../linux/errno.ts";
import { encodeMountAttr } from "../linux/mount-options.ts";
import { mountAttr, mountFlag } from "../linux/mount-words.ts";
import { CWD } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import { setOnMount } from "./file-system.ts";
import { flag, slot } from "./slots.ts";
import type { RootSource } from "./types.ts";

/** Since 6.5 overlayfs takes its layers one by one; before, as one string, which fsconfig cuts at 256 bytes. */
export interface RootOptions {
  readonly layerByLayer: boolean;
}

/** What compileRoot has to know besides the root. */
export interface RootPlace extends RootOptions {
  /** The mount that holds the mount point, needed for a shared root. */
  readonly around: string;
  /** The mounting process is in a user namespace: overlayfs then keeps its notes in attributes that it may write. */
  readonly inUserNamespace: boolean;
  /** There is no other mount namespace than the host's, whose mounts stay as they are. */
  readonly inHost: boolean;
}

/** linux.rootfsPropagation. */
export interface RootPropagation {
  /** MS_SLAVE, MS_PRIVATE, MS_SHARED or MS_UNBINDABLE. */
  readonly type: number;
  readonly recursive: boolean;
  /** With a shared root, mounts of the container may reach the host's peers, and the mount that holds the root must be cut off. */
  readonly shared: boolean;
}

const kinds: Readonly<Record<string, number>> = {
  slave: mountFlag.SLAVE,
  private: mountFlag.PRIVATE,
  shared: mountFlag.SHARED,
  unbindable: mountFlag.UNBINDABLE,
};
const CAUSE = "linux.rootfsPropagation";

/** Reads linux.rootfsPropagation; without one it is `rslave`. */
export function rootPropagation(word = ""): RootPropagation {
  const recursive = word.startsWith("r");
  const type = word === "" ? mountFlag.SLAVE : kinds[recursive ? word.slice(1) : word];
  if (type !== undefined) return { type, recursive, shared: type === mountFlag.SHARED };
  throw new GalleyError("invalid_argument", `unknown propagation "${word}"`, {
    subject: CAUSE,
    hint: "use shared, slave, private or unbindable, with or without an r before it",
  });
}

/**
 * Inside, first in the new mount namespace: nothing that is mounted here reaches the host. A shared root is the exception, for
 * binds whose mounts are meant to: there only the mount around `mountPoint` is cut off. Then the root, on `mountPoint`.
 */
export function compileRoot(
  root: RootSource,
  mountPoint: string,
  propagation: RootPropagation,
  options: RootPlace,
): Step[] {
  const made = root.kind === "overlay" ? overlay(root, mountPoint, options) : directory(root.path, propagation);
  const flags = flag.MOVE_MOUNT_F_EMPTY_PATH | flag.MOVE_MOUNT_T_SYMLINKS;
  const attach = step("move_mount", [slot.root, "", CWD, mountPoint, flags], { cause: "root" });
  const legacy = root.kind === "overlay" && !options.layerByLayer;
  const apart = options.inHost ? [] : [isolate(propagation, options.around)];
  return [...apart, ...made, ...(legacy ? [] : [attach])];
}

function isolate({ type, shared }: RootPropagation, around: string): Step {
  const kind = type === mountFlag.SLAVE ? mountFlag.SLAVE : mountFlag.PRIVATE;
  const [path, flags] = shared ? [around, 0] : ["/", flag.AT_RECURSIVE];
  return step("mount_setattr", [CWD, path, flags, encodeMountAttr({ set: 0, clear: 0 }, kind)], { cause: CAUSE });
}

type Overlay = Extract<RootSource, { kind: "overlay" }>;

/**
 * An upper directory is the container's: what it says of other places in the layers is not to be followed, hence neither redirect_dir
 * nor metacopy, which userxattr excludes.
 */
function overlay(root: Overlay, mountPoint: string, options: RootPlace): Step[] {
  if (!options.layerByLayer) return legacyOverlay(root, mountPoint, options.inUserNamespace);
  const cause = "root.path (overlayfs)";
  const set = (key: string, value: string): Step => step("fsconfig_string", [slot.fileSystem, key, value], { cause });
  const flagged = (key: string): Step => step("fsconfig_flag", [slot.fileSystem, key], { cause });
  return [
    ...(root.volatile === true ? [forgetVolatile(root, cause)] : []),
    step("fsopen", ["overlay", flag.FSOPEN_CLOEXEC], { out: slot.fileSystem, cause }),
    set("source", "overlay"),
    ...root.lower.map((layer) => set("lowerdir+", layer)),
    set("upperdir", root.upper),
    set("workdir", root.work),
    ...(options.inUserNamespace ? [flagged("userxattr")] : [set("redirect_dir", "off"), set("metacopy", "off")]),
    ...(root.volatile === true ? [flagged("volatile")] : []),
    step("fsconfig_create", [slot.fileSystem], { cause }),
    step("fsmount", [slot.fileSystem, flag.FSMOUNT_CLOEXEC, 0], { out: slot.root, cause }),
  ];
}

/** The mark with which overlayfs refuses an upper directory after a volatile mount: the machine may have lost its power since. */
function forgetVolatile({ work }: Overlay, cause: string): Step {
  return step("remove_tree", [CWD, `${work}/work/incompat`], { cause });
}

/** mount(2) takes a page of options; separators in paths are escaped as overlayfs reads them. */
function legacyOverlay(root: Overlay, mountPoint: string, inUserNamespace: boolean): Step[] {
  const cause = "root.path (overlayfs)";
  const quote = (path: string): string => path.replace(/[\\:,]/g, "\\$&");
  const data = `lowerdir=${root.lower.map(quote).join(":")},upperdir=${quote(root.upper)},workdir=${quote(root.work)},${inUserNamespace ? "userxattr" : "redirect_dir=off,metacopy=off"}`;
  return [
    step("mount", ["overlay", mountPoint, "overlay", 0, data], { cause }),
    step("openat", [CWD, mountPoint, flag.O_PATH | flag.O_DIRECTORY | flag.O_CLOEXEC, 0], { out: slot.root, cause }),
  ];
}

/**
 * A copy of the directory's mount belongs to its peers: what is mounted in the container would appear in the directory. A slave shows what
 * is mounted in the directory later on.
 */
function directory(path: string, { type }: RootPropagation): Step[] {
  const cause = `root.path (${path})`;
  const flags = flag.OPEN_TREE_CLONE | flag.OPEN_TREE_CLOEXEC | flag.AT_RECURSIVE;
  const kind = type === mountFlag.SLAVE ? mountFlag.SLAVE : mountFlag.PRIVATE;
  const cutOff = encodeMountAttr({ set: 0, clear: 0 }, kind);
  return [
    step("open_tree", [CWD, path, flags], { out: slot.root, cause }),
    step("mount_setattr", [slot.root, "", flag.AT_EMPTY_PATH | flag.AT_RECURSIVE, cutOff], { cause }),
  ];
}

/**
 * The root becomes `/`, which pivot_root(2) refuses for a shared mount, so its propagation is set then. The host's tree is let go
 * of: peers of the host's mounts first become slaves, as unmounting them would unmount the host's. The working directory is `/`.
 */
export function enterRoot(readonly: boolean, propagation: RootPropagation, way: "pivot" | "move" | "chroot"): Step[] {
  const cause = "root (pivot_root)";
  const here = flag.O_PATH | flag.O_DIRECTORY | flag.O_CLOEXEC;
  const lock = setOnMount(slot.root, { set: mountAttr.RDONLY, clear: 0 }, 0, "root.readonly");
  if (way !== "pivot") return [...(readonly ? [lock] : []), ...(way === "move" ? moveRoot() : changeRoot())];
  return [
    ...(readonly ? [lock] : []),
    step("openat", [CWD, "/", here, 0], { out: slot.oldRoot, cause }),
    step("fchdir", [slot.root], { cause }),
    step("pivot_root", [".", "."], { cause }),
    step("fchdir", [slot.oldRoot], { cause }),
    ...(propagation.shared ? [setPropagation(".", mountFlag.SLAVE, true)] : []),
    step("umount", [".", flag.MNT_DETACH], { cause }),
    step("chdir", ["/"], { cause }),
    ...(propagation.type === mountFlag.SHARED || propagation.type === mountFlag.UNBINDABLE
      ? [setPropagation("/", propagation.type, propagation.recursive)]
      : []),
    step("close", [slot.oldRoot], { cause }),
  ];
}

/** What was at `/` lies below it, still mounted: the file systems in it that tell or do most are let go of first. */
function moveRoot(): Step[] {
  const cause = "root (--no-pivot)";
  const unmount = (path: string): Step =>
    step("umount", [path, flag.MNT_DETACH], { cause, tolerate: [errno.EINVAL, errno.ENOENT, errno.EPERM] });
  return [
    unmount("/proc"),
    unmount("/sys"),
    step("fchdir", [slot.root], { cause }),
    step("mount", [".", "/", "", mountFlag.MOVE, ""], { cause }),
    step("chroot", ["."], { cause }),
    step("chdir", ["/"], { cause }),
  ];
}

/** In the host's mount namespace, whose root stays. */
function changeRoot(): Step[] {
  const cause = "root (chroot)";
  return [step("fchdir", [slot.root], { cause }), step("chroot", ["."], { cause }), step("chdir", ["/"], { cause })];
}

/** For the host's mount namespace: takes the root and all that is mounted in it from the mount point, and removes that. */
export function leaveHost(mountPoint: string): Step[] {
  const cause = "linux.namespaces (no mount)";
  return [
    step("umount", [mountPoint, flag.MNT_DETACH], { cause, tolerate: [errno.EINVAL, errno.ENOENT] }),
    step("unlinkat", [CWD, mountPoint, flag.AT_REMOVEDIR], { cause, tolerate: [errno.ENOENT] }),
  ];
}

function setPropagation(path: string, type: number, recursive: boolean): Step {
  const flags = recursive ? flag.AT_RECURSIVE : 0;
  return step("mount_setattr", [CWD, path, flags, encodeMountAttr({ set: 0, clear: 0 }, type)], { cause: CAUSE });
}
