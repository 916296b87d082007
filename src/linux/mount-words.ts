/** The vocabulary of mount options: each word with what it stands for. See mount-options.ts for its use. */

/** MOUNT_ATTR_* of uapi/linux/mount.h. */
export const mountAttr = {
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  /** Mask of the access time field; RELATIME is 0 in it. */
  ATIME: 0x70,
  NOATIME: 0x10,
  STRICTATIME: 0x20,
  NODIRATIME: 0x80,
  IDMAP: 0x10_0000,
  NOSYMFOLLOW: 0x20_0000,
} as const;

/** MS_* of uapi/linux/mount.h. */
export const mountFlag = {
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  SYNCHRONOUS: 0x10,
  REMOUNT: 0x20,
  MANDLOCK: 0x40,
  DIRSYNC: 0x80,
  NOSYMFOLLOW: 0x100,
  NOATIME: 0x400,
  NODIRATIME: 0x800,
  BIND: 0x1000,
  MOVE: 0x2000,
  REC: 0x4000,
  SILENT: 0x8000,
  UNBINDABLE: 0x2_0000,
  PRIVATE: 0x4_0000,
  SLAVE: 0x8_0000,
  SHARED: 0x10_0000,
  RELATIME: 0x20_0000,
  I_VERSION: 0x80_0000,
  STRICTATIME: 0x100_0000,
  LAZYTIME: 0x200_0000,
} as const;

/** `superblock`: the flag's name for FSCONFIG_SET_FLAG, where it is one of the file system rather than of the mount. */
export type MountWord =
  | { readonly kind: "flag"; readonly flag: number; readonly clear: boolean; readonly superblock: string }
  | { readonly kind: "bind"; readonly bind: "single" | "recursive" }
  | { readonly kind: "propagation"; readonly type: number; readonly recursive: boolean }
  | { readonly kind: "recursive"; readonly attribute: number; readonly clear: boolean }
  | { readonly kind: "idmap"; readonly idmap: "single" | "recursive" }
  | { readonly kind: "remount" }
  | { readonly kind: "tmpcopyup" }
  | { readonly kind: "nothing" };

const flag = (value: number, superblock = ""): MountWord => ({ kind: "flag", flag: value, clear: false, superblock });
const noFlag = (value: number, superblock = ""): MountWord => ({ kind: "flag", flag: value, clear: true, superblock });
const spread = (type: number, recursive: boolean): MountWord => ({ kind: "propagation", type, recursive });
const below = (attribute: number): MountWord => ({ kind: "recursive", attribute, clear: false });
const notBelow = (attribute: number): MountWord => ({ kind: "recursive", attribute, clear: true });

/**
 * What an option word stands for; undefined for a file system's own parameter. Looked up without a table: making one would take
 * longer than the few words of a container.
 */
export function mountWord(word: string): MountWord | undefined {
  return flagWord(word) ?? otherWord(word) ?? recursiveWord(word);
}

function flagWord(word: string): MountWord | undefined {
  const ms = mountFlag;
  switch (word) {
    case "ro":
      return flag(ms.RDONLY, "ro");
    case "rw":
      return noFlag(ms.RDONLY, "ro");
    case "nosuid":
      return flag(ms.NOSUID);
    case "suid":
      return noFlag(ms.NOSUID);
    case "nodev":
      return flag(ms.NODEV);
    case "dev":
      return noFlag(ms.NODEV);
    case "noexec":
      return flag(ms.NOEXEC);
    case "exec":
      return noFlag(ms.NOEXEC);
    case "nosymfollow":
      return flag(ms.NOSYMFOLLOW);
    case "symfollow":
      return noFlag(ms.NOSYMFOLLOW);
    case "noatime":
      return flag(ms.NOATIME);
    case "atime":
      return noFlag(ms.NOATIME);
    case "relatime":
      return flag(ms.RELATIME);
    case "norelatime":
      return noFlag(ms.RELATIME);
    case "strictatime":
      return flag(ms.STRICTATIME);
    case "nostrictatime":
      return noFlag(ms.STRICTATIME);
    case "nodiratime":
      return flag(ms.NODIRATIME);
    case "diratime":
      return noFlag(ms.NODIRATIME);
    case "sync":
      return flag(ms.SYNCHRONOUS, "sync");
    case "async":
      return noFlag(ms.SYNCHRONOUS, "sync");
    case "dirsync":
      return flag(ms.DIRSYNC, "dirsync");
    case "lazytime":
      return flag(ms.LAZYTIME, "lazytime");
    case "nolazytime":
      return noFlag(ms.LAZYTIME, "lazytime");
    case "mand":
      return flag(ms.MANDLOCK, "mand");
    case "nomand":
      return noFlag(ms.MANDLOCK, "mand");
    case "iversion":
      return flag(ms.I_VERSION);
    case "noiversion":
      return noFlag(ms.I_VERSION);
    case "silent":
      return flag(ms.SILENT);
    case "loud":
      return noFlag(ms.SILENT);
    default:
      return undefined;
  }
}

function recursiveWord(word: string): MountWord | undefined {
  const attr = mountAttr;
  switch (word) {
    case "rro":
      return below(attr.RDONLY);
    case "rrw":
      return notBelow(attr.RDONLY);
    case "rnosuid":
      return below(attr.NOSUID);
    case "rsuid":
      return notBelow(attr.NOSUID);
    case "rnodev":
      return below(attr.NODEV);
    case "rdev":
      return notBelow(attr.NODEV);
    case "rnoexec":
      return below(attr.NOEXEC);
    case "rexec":
      return notBelow(attr.NOEXEC);
    case "rnodiratime":
      return below(attr.NODIRATIME);
    case "rdiratime":
      return notBelow(attr.NODIRATIME);
    case "rnosymfollow":
      return below(attr.NOSYMFOLLOW);
    case "rsymfollow":
      return notBelow(attr.NOSYMFOLLOW);
    case "rrelatime":
      return below(0);
    case "rnorelatime":
      return notBelow(0);
    case "rnoatime":
      return below(attr.NOATIME);
    case "ratime":
      return notBelow(attr.NOATIME);
    case "rstrictatime":
      return below(attr.STRICTATIME);
    case "rnostrictatime":
      return notBelow(attr.STRICTATIME);
    default:
      return undefined;
  }
}

function otherWord(word: string): MountWord | undefined {
  const ms = mountFlag;
  switch (word) {
    case "bind":
      return { kind: "bind", bind: "single" };
    case "rbind":
      return { kind: "bind", bind: "recursive" };
    case "remount":
      return { kind: "remount" };
    case "defaults":
      return { kind: "nothing" };
    case "tmpcopyup":
      return { kind: "tmpcopyup" };
    case "idmap":
      return { kind: "idmap", idmap: "single" };
    case "ridmap":
      return { kind: "idmap", idmap: "recursive" };
    case "private":
      return spread(ms.PRIVATE, false);
    case "rprivate":
      return spread(ms.PRIVATE, true);
    case "slave":
      return spread(ms.SLAVE, false);
    case "rslave":
      return spread(ms.SLAVE, true);
    case "shared":
      return spread(ms.SHARED, false);
    case "rshared":
      return spread(ms.SHARED, true);
    case "unbindable":
      return spread(ms.UNBINDABLE, false);
    case "runbindable":
      return spread(ms.UNBINDABLE, true);
    default:
      return undefined;
  }
}
