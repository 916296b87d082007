/** How numbers of a recipe are printed: the flag names of the manual pages, for the formats that ops.ts names. */

type FlagTable = readonly (readonly [string, number])[];

const tables: Readonly<Record<string, FlagTable>> = {
  "open-tree": [
    ["OPEN_TREE_CLONE", 1],
    ["AT_RECURSIVE", 0x8000],
    ["AT_EMPTY_PATH", 0x1000],
    ["OPEN_TREE_CLOEXEC", 0x80000],
  ],
  "move-mount": [
    ["MOVE_MOUNT_F_EMPTY_PATH", 4],
    ["MOVE_MOUNT_T_SYMLINKS", 0x10],
    ["MOVE_MOUNT_T_EMPTY_PATH", 0x40],
  ],
  fsopen: [["FSOPEN_CLOEXEC", 1]],
  "mount-attr": [
    ["MOUNT_ATTR_RDONLY", 1],
    ["MOUNT_ATTR_NOSUID", 2],
    ["MOUNT_ATTR_NODEV", 4],
    ["MOUNT_ATTR_NOEXEC", 8],
    ["MOUNT_ATTR_NOATIME", 0x10],
    ["MOUNT_ATTR_STRICTATIME", 0x20],
    ["MOUNT_ATTR_NODIRATIME", 0x80],
    ["MOUNT_ATTR_NOSYMFOLLOW", 0x200000],
  ],
  at: [
    ["AT_SYMLINK_NOFOLLOW", 0x100],
    ["AT_REMOVEDIR", 0x200],
    ["AT_EMPTY_PATH", 0x1000],
    ["AT_RECURSIVE", 0x8000],
  ],
  mount: [
    ["MS_RDONLY", 1],
    ["MS_NOSUID", 2],
    ["MS_NODEV", 4],
    ["MS_NOEXEC", 8],
    ["MS_REMOUNT", 32],
    ["MS_BIND", 4096],
    ["MS_MOVE", 8192],
    ["MS_REC", 16384],
    ["MS_PRIVATE", 1 << 18],
    ["MS_SLAVE", 1 << 19],
    ["MS_SHARED", 1 << 20],
  ],
  umount: [
    ["MNT_FORCE", 1],
    ["MNT_DETACH", 2],
  ],
  open: [
    ["O_WRONLY", 1],
    ["O_RDWR", 2],
    ["O_CREAT", 0o100],
    ["O_EXCL", 0o200],
    ["O_NOCTTY", 0o400],
    ["O_TRUNC", 0o1000],
    ["O_APPEND", 0o2000],
    ["O_NONBLOCK", 0o4000],
    ["O_DIRECTORY", 0o200000],
    ["O_NOFOLLOW", 0o400000],
    ["O_CLOEXEC", 0o2000000],
    ["O_PATH", 0o10000000],
  ],
  clone: [
    ["CLONE_NEWTIME", 0x80],
    ["CLONE_NEWNS", 0x20000],
    ["CLONE_NEWCGROUP", 0x2000000],
    ["CLONE_NEWUTS", 0x4000000],
    ["CLONE_NEWIPC", 0x8000000],
    ["CLONE_NEWUSER", 0x10000000],
    ["CLONE_NEWPID", 0x20000000],
    ["CLONE_NEWNET", 0x40000000],
  ],
  "close-range": [
    ["CLOSE_RANGE_UNSHARE", 2],
    ["CLOSE_RANGE_CLOEXEC", 4],
  ],
};

const names: Readonly<Record<string, readonly string[]>> = {
  netlink: Object.assign([], { 0: "NETLINK_ROUTE", 12: "NETLINK_NETFILTER" }),
  "resolve-kind": ["existing", "directory", "file"],
  "verify-kind": Object.assign([], { 1: "/dev/null", 2: "proc", 3: "devpts", 4: "cgroup", 5: "not proc" }),
  "socket-type": Object.assign([], { 1: "SOCK_STREAM", 2: "SOCK_DGRAM", 5: "SOCK_SEQPACKET" }),
  rlimit: [
    "RLIMIT_CPU",
    "RLIMIT_FSIZE",
    "RLIMIT_DATA",
    "RLIMIT_STACK",
    "RLIMIT_CORE",
    "RLIMIT_RSS",
    "RLIMIT_NPROC",
    "RLIMIT_NOFILE",
    "RLIMIT_MEMLOCK",
    "RLIMIT_AS",
    "RLIMIT_LOCKS",
    "RLIMIT_SIGPENDING",
    "RLIMIT_MSGQUEUE",
    "RLIMIT_NICE",
    "RLIMIT_RTPRIO",
    "RLIMIT_RTTIME",
  ],
  prctl: Object.assign([], {
    1: "PR_SET_PDEATHSIG",
    4: "PR_SET_DUMPABLE",
    8: "PR_SET_KEEPCAPS",
    15: "PR_SET_NAME",
    24: "PR_CAPBSET_DROP",
    38: "PR_SET_NO_NEW_PRIVS",
    47: "PR_CAP_AMBIENT",
  }),
};

/** A number as its format says: flags joined by `|`, a name, octal, hexadecimal or a device's `major:minor`. */
export function formatNumber(value: number | bigint, format: string | undefined): string {
  if (format === "octal") return value === 0 ? "0" : `0${value.toString(8)}`;
  if (format === "hex") return `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`;
  if (format === "device") return deviceNumber(Number(value));
  const name = format === undefined ? undefined : names[format]?.[Number(value)];
  if (name !== undefined) return name;
  const table = format === undefined ? undefined : tables[format];
  return table === undefined ? String(value) : flagNames(Number(value), table);
}

function flagNames(value: number, table: FlagTable): string {
  let rest = value;
  const found: string[] = [];
  for (const [name, bits] of table) {
    if ((value & bits) >>> 0 !== bits >>> 0) continue;
    found.push(name);
    rest &= ~bits;
  }
  if (rest !== 0) found.push(`0x${(rest >>> 0).toString(16)}`);
  return found.length === 0 ? "0" : found.join("|");
}

/** makedev(3) undone, for the numbers that fit in 32 bits. */
function deviceNumber(device: number): string {
  return `${(device >>> 8) & 0xfff}:${(device & 0xff) | ((device >>> 12) & 0xfff00)}`;
}
