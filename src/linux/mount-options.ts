/**
 * The `options` of an OCI mount (runtime-spec config.md, "Mounts"; mount(8)) as what the kernel's calls take.
 *
 * The new calls keep apart what mount(2) had in one word: attributes of the mount (mount_setattr(2)), flags of the file system
 * (fsconfig(2)), propagation, and the file system's own parameters. The words of mount(2) are given too, for old kernels.
 */
import { type MountWord, mountAttr, mountFlag, mountWord } from "./mount-words.ts";

/** Bits for mount_setattr's attr_set and attr_clr. */
export interface AttributeChange {
  readonly set: number;
  readonly clear: number;
}

export interface Propagation {
  /** MS_PRIVATE, MS_SLAVE, MS_SHARED or MS_UNBINDABLE: also mount_setattr's `propagation`. */
  readonly type: number;
  readonly recursive: boolean;
}

/** A parameter of the file system itself; without `value` it is a flag (FSCONFIG_SET_FLAG). */
export interface FsParameter {
  readonly key: string;
  readonly value?: string;
}

export interface MountOptions {
  /** `bind`, `rbind`, or a file system to be made. */
  readonly bind: "none" | "single" | "recursive";
  readonly remount: boolean;
  /** For the mount alone. */
  readonly attributes: AttributeChange;
  /** For the mount and all below it (`rro`, `rnosuid`…); absent where no such option is given. */
  readonly recursiveAttributes?: AttributeChange;
  /** In the order given; several are all applied. */
  readonly propagation: readonly Propagation[];
  /** Generic flags of a superblock, for FSCONFIG_SET_FLAG: `ro`, `sync`, `dirsync`, `lazytime`, `mand`. */
  readonly superblock: readonly string[];
  readonly data: readonly FsParameter[];
  /** `idmap`, or `ridmap` that reaches the mounts below. */
  readonly idmap: "none" | "single" | "recursive";
  /** A tmpfs begins with the content that the image has at its destination. */
  readonly tmpcopyup: boolean;
  /** mount(2)'s flags: all of the above that it can say, without propagation. */
  readonly flags: number;
  /** Flags that the options clear explicitly (`rw`, `dev`, …): a remount must not keep them from the bind's source. */
  readonly clearedFlags: number;
  /** mount(2)'s data. */
  readonly dataText: string;
}

/** What is gathered while the words are read, last one winning. */
interface Draft {
  bind: MountOptions["bind"];
  idmap: MountOptions["idmap"];
  remount: boolean;
  tmpcopyup: boolean;
  flags: number;
  clearedFlags: number;
  below: { set: number; clear: number };
  readonly superblock: Set<string>;
  readonly propagation: Propagation[];
  readonly data: string[];
}

/**
 * Sorts the options of one OCI mount. Words that no table knows are the file system's own parameters; only the kernel can say
 * whether those are right, so nothing is refused here. Of contradicting words the last one counts.
 */
export function parseMountOptions(options: readonly string[]): MountOptions {
  const draft: Draft = {
    bind: "none",
    idmap: "none",
    remount: false,
    tmpcopyup: false,
    flags: 0,
    clearedFlags: 0,
    below: { set: 0, clear: 0 },
    superblock: new Set(),
    propagation: [],
    data: [],
  };
  for (const option of options.some((one) => one.includes(",")) ? options.flatMap(splitParameters) : options) {
    const word = mountWord(option);
    if (word !== undefined) apply(draft, word);
    else if (option !== "") draft.data.push(option);
  }
  return finish(draft);
}

/** An option may hold several, joined by commas as mount(2)'s data has them; quoted and escaped commas stay. */
function splitParameters(option: string): string[] {
  return (option.match(/(?:\\.|"[^"]*"|[^,])+/g) ?? []).filter((part) => part !== "");
}

function apply(draft: Draft, word: MountWord): void {
  switch (word.kind) {
    case "flag":
      applyFlag(draft, word.flag, word.clear);
      if (word.superblock !== "") draft.superblock[word.clear ? "delete" : "add"](word.superblock);
      return;
    case "recursive":
      applyBelow(draft.below, word.attribute, word.clear);
      return;
    case "propagation":
      draft.propagation.push({ type: word.type, recursive: word.recursive });
      return;
    case "bind":
      draft.bind = word.bind;
      return;
    case "idmap":
      draft.idmap = word.idmap;
      return;
    case "remount":
      draft.remount = true;
      return;
    case "tmpcopyup":
      draft.tmpcopyup = true;
      return;
    case "nothing":
      return;
  }
}

/** The three ways to keep access times exclude one another. */
const ACCESS_TIMES = mountFlag.NOATIME | mountFlag.RELATIME | mountFlag.STRICTATIME;

function applyFlag(draft: Draft, flag: number, clear: boolean): void {
  if (clear) {
    draft.flags &= ~flag;
    draft.clearedFlags |= flag;
    return;
  }
  if ((flag & ACCESS_TIMES) !== 0) draft.flags &= ~ACCESS_TIMES;
  draft.flags |= flag;
  draft.clearedFlags &= ~flag;
}

/** The access time is a field, not a bit: mount_setattr(2) wants the whole of it in attr_clr whenever a part is touched. */
function applyBelow(change: { set: number; clear: number }, attribute: number, clear: boolean): void {
  const isAccessTime = attribute === 0 || (attribute & mountAttr.ATIME) !== 0;
  const field = isAccessTime ? mountAttr.ATIME : attribute;
  change.set &= ~field;
  change.clear &= ~field;
  if (!clear) change.set |= attribute;
  if (clear || isAccessTime) change.clear |= field;
}

function finish(draft: Draft): MountOptions {
  const bindFlags = { none: 0, single: mountFlag.BIND, recursive: mountFlag.BIND | mountFlag.REC }[draft.bind];
  const touchesBelow = draft.below.set !== 0 || draft.below.clear !== 0;
  return {
    bind: draft.bind,
    remount: draft.remount,
    attributes: attributesOf(draft.flags, draft.clearedFlags),
    ...(touchesBelow ? { recursiveAttributes: draft.below } : {}),
    propagation: draft.propagation,
    superblock: [...draft.superblock],
    data: draft.data.map(parameter),
    idmap: draft.idmap,
    tmpcopyup: draft.tmpcopyup,
    flags: draft.flags | bindFlags | (draft.remount ? mountFlag.REMOUNT : 0),
    clearedFlags: draft.clearedFlags,
    dataText: draft.data.join(","),
  };
}

function parameter(text: string): FsParameter {
  const equals = text.indexOf("=");
  return equals < 0 ? { key: text } : { key: text.slice(0, equals), value: text.slice(equals + 1) };
}

const attributePairs: readonly (readonly [flag: number, attribute: number])[] = [
  [mountFlag.RDONLY, mountAttr.RDONLY],
  [mountFlag.NOSUID, mountAttr.NOSUID],
  [mountFlag.NODEV, mountAttr.NODEV],
  [mountFlag.NOEXEC, mountAttr.NOEXEC],
  [mountFlag.NODIRATIME, mountAttr.NODIRATIME],
  [mountFlag.NOSYMFOLLOW, mountAttr.NOSYMFOLLOW],
];

function attributesOf(flags: number, cleared: number): AttributeChange {
  let set = 0;
  let clear = 0;
  for (const [flag, attribute] of attributePairs) {
    if ((flags & flag) !== 0) set |= attribute;
    if ((cleared & flag) !== 0) clear |= attribute;
  }
  if ((flags & mountFlag.NOATIME) !== 0) set |= mountAttr.NOATIME;
  if ((flags & mountFlag.STRICTATIME) !== 0) set |= mountAttr.STRICTATIME;
  if (((flags | cleared) & ACCESS_TIMES) !== 0) clear |= mountAttr.ATIME;
  return { set, clear };
}

/**
 * struct mount_attr, 32 bytes, little endian: {attr_set, attr_clr, propagation, userns_fd}. `userns` is the number of an open
 * descriptor of a user namespace and needs MOUNT_ATTR_IDMAP in `set`.
 */
export function encodeMountAttr(change: AttributeChange, propagation = 0, userns = 0): Uint8Array {
  return new Uint8Array(Uint32Array.of(change.set, 0, change.clear, 0, propagation, 0, userns, 0).buffer);
}
