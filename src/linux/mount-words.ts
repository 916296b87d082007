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
let words: ReadonlyMap<string, MountWord> | undefined;

/** Every option word that is not a file system's own parameter. Built on first use. */
export function mountWords(): ReadonlyMap<string, MountWord> {
  words ??= new Map<string, MountWord>(Object.entries({ ...flagWords(), ...recursiveWords(), ...otherWords() }));
  return words;
}

function flagWords(): Record<string, MountWord> {
  const ms = mountFlag;
  return {
    ro: flag(ms.RDONLY, "ro"),
    rw: noFlag(ms.RDONLY, "ro"),
    nosuid: flag(ms.NOSUID),
    suid: noFlag(ms.NOSUID),
    nodev: flag(ms.NODEV),
    dev: noFlag(ms.NODEV),
    noexec: flag(ms.NOEXEC),
    exec: noFlag(ms.NOEXEC),
    nosymfollow: flag(ms.NOSYMFOLLOW),
    symfollow: noFlag(ms.NOSYMFOLLOW),
    noatime: flag(ms.NOATIME),
    atime: noFlag(ms.NOATIME),
    relatime: flag(ms.RELATIME),
    norelatime: noFlag(ms.RELATIME),
    strictatime: flag(ms.STRICTATIME),
    nostrictatime: noFlag(ms.STRICTATIME),
    nodiratime: flag(ms.NODIRATIME),
    diratime: noFlag(ms.NODIRATIME),
    sync: flag(ms.SYNCHRONOUS, "sync"),
    async: noFlag(ms.SYNCHRONOUS, "sync"),
    dirsync: flag(ms.DIRSYNC, "dirsync"),
    lazytime: flag(ms.LAZYTIME, "lazytime"),
    nolazytime: noFlag(ms.LAZYTIME, "lazytime"),
    mand: flag(ms.MANDLOCK, "mand"),
    nomand: noFlag(ms.MANDLOCK, "mand"),
    iversion: flag(ms.I_VERSION),
    noiversion: noFlag(ms.I_VERSION),
    silent: flag(ms.SILENT),
    loud: noFlag(ms.SILENT),
  };
}

function recursiveWords(): Record<string, MountWord> {
  const attr = mountAttr;
  return {
    rro: below(attr.RDONLY),
    rrw: notBelow(attr.RDONLY),
    rnosuid: below(attr.NOSUID),
    rsuid: notBelow(attr.NOSUID),
    rnodev: below(attr.NODEV),
    rdev: notBelow(attr.NODEV),
    rnoexec: below(attr.NOEXEC),
    rexec: notBelow(attr.NOEXEC),
    rnodiratime: below(attr.NODIRATIME),
    rdiratime: notBelow(attr.NODIRATIME),
    rnosymfollow: below(attr.NOSYMFOLLOW),
    rsymfollow: notBelow(attr.NOSYMFOLLOW),
    rrelatime: below(0),
    rnorelatime: notBelow(0),
    rnoatime: below(attr.NOATIME),
    ratime: notBelow(attr.NOATIME),
    rstrictatime: below(attr.STRICTATIME),
    rnostrictatime: notBelow(attr.STRICTATIME),
  };
}

function otherWords(): Record<string, MountWord> {
  const ms = mountFlag;
  return {
    bind: { kind: "bind", bind: "single" },
    rbind: { kind: "bind", bind: "recursive" },
    remount: { kind: "remount" },
    defaults: { kind: "nothing" },
    tmpcopyup: { kind: "tmpcopyup" },
    idmap: { kind: "idmap", idmap: "single" },
    ridmap: { kind: "idmap", idmap: "recursive" },
    private: spread(ms.PRIVATE, false),
    rprivate: spread(ms.PRIVATE, true),
    slave: spread(ms.SLAVE, false),
    rslave: spread(ms.SLAVE, true),
    shared: spread(ms.SHARED, false),
    rshared: spread(ms.SHARED, true),
    unbindable: spread(ms.UNBINDABLE, false),
    runbindable: spread(ms.UNBINDABLE, true),
  };
}
