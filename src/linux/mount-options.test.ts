import { expect, test } from "bun:test";
import { encodeMountAttr, type MountOptions, parseMountOptions } from "./mount-options.ts";
import { mountAttr, mountFlag } from "./mount-words.ts";

const nothing: MountOptions = {
  bind: "none",
  remount: false,
  attributes: { set: 0, clear: 0 },
  propagation: [],
  superblock: [],
  data: [],
  idmap: "none",
  tmpcopyup: false,
  flags: 0,
  clearedFlags: 0,
  dataText: "",
};

const cases: readonly [string, Partial<MountOptions>][] = [
  ["", {}],
  ["defaults", {}],
  ["nosuid noexec nodev ro", { attributes: { set: 0xf, clear: 0 }, flags: 0xf, superblock: ["ro"] }],
  ["ro rw", { attributes: { set: 0, clear: 1 }, clearedFlags: 1 }],
  ["rw ro", { attributes: { set: 1, clear: 0 }, flags: 1, superblock: ["ro"] }],
  [
    "size=64m mode=1777 noswap",
    {
      data: [{ key: "size", value: "64m" }, { key: "mode", value: "1777" }, { key: "noswap" }],
      dataText: "size=64m,mode=1777,noswap",
    },
  ],
  [
    "size=1m,ro",
    {
      data: [{ key: "size", value: "1m" }],
      dataText: "size=1m",
      attributes: { set: 1, clear: 0 },
      flags: 1,
      superblock: ["ro"],
    },
  ],
  ['context="a,b"', { data: [{ key: "context", value: '"a,b"' }], dataText: 'context="a,b"' }],
  ["lowerdir=/a\\,b:/c", { data: [{ key: "lowerdir", value: "/a\\,b:/c" }], dataText: "lowerdir=/a\\,b:/c" }],
  ["bind", { bind: "single", flags: mountFlag.BIND }],
  ["bind rbind", { bind: "recursive", flags: mountFlag.BIND | mountFlag.REC }],
  ["remount", { remount: true, flags: mountFlag.REMOUNT }],
  ["noatime", { attributes: { set: 0x10, clear: 0x70 }, flags: mountFlag.NOATIME }],
  ["noatime strictatime", { attributes: { set: 0x20, clear: 0x70 }, flags: mountFlag.STRICTATIME }],
  ["relatime", { attributes: { set: 0, clear: 0x70 }, flags: mountFlag.RELATIME }],
  ["noatime atime", { attributes: { set: 0, clear: 0x70 }, clearedFlags: mountFlag.NOATIME }],
  ["nosymfollow nodiratime", { attributes: { set: 0x20_0080, clear: 0 }, flags: 0x900 }],
  ["sync lazytime", { superblock: ["sync", "lazytime"], flags: mountFlag.SYNCHRONOUS | mountFlag.LAZYTIME }],
  ["rro", { recursiveAttributes: { set: 1, clear: 0 } }],
  ["rro rrw", { recursiveAttributes: { set: 0, clear: 1 } }],
  ["rnosuid rdev", { recursiveAttributes: { set: 2, clear: 4 } }],
  ["rnoatime", { recursiveAttributes: { set: 0x10, clear: 0x70 } }],
  ["rnoatime rrelatime", { recursiveAttributes: { set: 0, clear: 0x70 } }],
  ["ratime", { recursiveAttributes: { set: 0, clear: 0x70 } }],
  ["rslave", { propagation: [{ type: mountFlag.SLAVE, recursive: true }] }],
  [
    "private shared",
    {
      propagation: [
        { type: mountFlag.PRIVATE, recursive: false },
        { type: mountFlag.SHARED, recursive: false },
      ],
    },
  ],
  ["ridmap", { idmap: "recursive" }],
  ["tmpcopyup", { tmpcopyup: true }],
  ["RO", { data: [{ key: "RO" }], dataText: "RO" }],
  ["toString", { data: [{ key: "toString" }], dataText: "toString" }],
];

test.each(cases)("%p", (text, expected) => {
  expect(parseMountOptions(text.split(" "))).toEqual({ ...nothing, ...expected });
});

test("every word of the specification is understood and none reaches the file system", () => {
  const words = `async atime bind defaults dev diratime dirsync exec idmap iversion lazytime loud mand noatime nodev nodiratime
    noexec noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime relatime
    remount rexec ridmap rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate rrelatime
    rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw shared silent slave strictatime suid symfollow sync
    tmpcopyup unbindable`;
  for (const word of words.split(/\s+/)) expect(parseMountOptions([word]).data).toEqual([]);
});

test("mount_attr has the kernel's layout", () => {
  const bytes = encodeMountAttr(
    { set: mountAttr.IDMAP | mountAttr.RDONLY, clear: mountAttr.ATIME },
    mountFlag.SLAVE,
    7,
  );
  expect([...new BigUint64Array(bytes.buffer)]).toEqual([0x10_0001n, 0x70n, 0x8_0000n, 7n]);
});
