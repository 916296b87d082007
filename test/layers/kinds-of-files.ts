import {
  closeSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { AT_FDCWD, lchownat, lsetxattrat, makeDevice, mknodat, S } from "../../src/linux/sys/sys.ts";
import { Random } from "../fuzz/random.ts";

const text = "all of it the same, and some of it not ".repeat(70_000);

/** Makes a directory with files of each kind, of sizes around those of blocks, with all that an inode can have. Needs root. */
export function makeKindsOfFiles(root: string): void {
  mkdirSync(join(root, "sizes"), { recursive: true });
  makeSizes(join(root, "sizes"));
  makeSparse(join(root, "sizes"));
  makeNames(root);
  makeKinds((...parts) => join(root, ...parts));
  setAttributes(root);
  utimesSync(root, 1_000_000_000, 1_000_000_000);
}

function makeSizes(directory: string): void {
  const random = new Random(7);
  for (const size of [0, 1, 4095, 4096, 4097, 131_071, 131_072, 131_073, 400_000, 1_048_576, 2_500_001]) {
    const bytes = Uint8Array.from({ length: size }, () => random.below(256));
    writeFileSync(join(directory, `random-${size}`), bytes);
    writeFileSync(join(directory, `text-${size}`), text.slice(0, size));
  }
  copyFileSync("/bin/sh", join(directory, "program"));
  writeFileSync(join(directory, "again"), text.slice(0, 400_000));
}

function makeSparse(directory: string): void {
  writeFileSync(join(directory, "hole"), "");
  truncateSync(join(directory, "hole"), 3_000_000);
  writeFileSync(join(directory, "begins"), text.slice(0, 10_000));
  truncateSync(join(directory, "begins"), 1_000_001);
  writeFileSync(join(directory, "ends"), Buffer.concat([Buffer.alloc(1_500_000), Buffer.from("something")]));
}

function makeNames(root: string): void {
  mkdirSync(join(root, "many"));
  const name = "name-".repeat(12);
  for (let index = 0; index < 1500; index++) writeFileSync(join(root, "many", `${name}${index}`), String(index));
  mkdirSync(join(root, ...Array.from({ length: 60 }, (_, depth) => `deep${depth}`)), { recursive: true });
  mkdirSync(join(root, "x".repeat(255)));
  mkdirSync(join(root, "empty"));
  writeFileSync(join(root, "ünï 漢字"), "UTF-8");
  writeFileSync(join(root, "with\nnewline"), "a line");
  writeFileSync(Buffer.concat([Buffer.from(`${root}/caf`), Buffer.of(0xe9)]), "Latin 1");
}

function makeKinds(at: (...parts: string[]) => string): void {
  writeFileSync(at("one"), "several names");
  mkdirSync(at("other"));
  for (const name of ["other/two", "three"]) linkSync(at("one"), at(name));
  symlinkSync("sizes/../one", at("link"));
  symlinkSync("x".repeat(4000), at("long-link"));
  mknodat(AT_FDCWD, at("char"), S.IFCHR | 0o620, makeDevice(5, 1));
  mknodat(AT_FDCWD, at("block"), S.IFBLK | 0o600, makeDevice(259, 70_000));
  mknodat(AT_FDCWD, at("fifo"), S.IFIFO | 0o4711);
  linkSync(at("fifo"), at("fifo-again"));
  mknodat(AT_FDCWD, at("socket"), S.IFSOCK | 0o666);
  lchownat(AT_FDCWD, at("one"), 1_000_000, 4_000_000_000);
  lchownat(AT_FDCWD, at("link"), 12, 34);
  lchownat(AT_FDCWD, at("socket"), 56, 78);
}

function setAttributes(root: string): void {
  for (const name of ["one", "sizes", "sizes/again", "sizes/text-1"]) {
    setAttribute(root, name, "user.short", "a");
    setAttribute(root, name, "user.long", "b".repeat(1000));
    setAttribute(root, name, "trusted.empty", "");
  }
  setAttribute(root, "link", "trusted.on-a-link", "x");
  setAttribute(root, "char", "trusted.on-a-device", "y");
  // What setcap cap_net_raw+ep writes (struct vfs_ns_cap_data of revision 2).
  const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");
  setAttribute(root, "sizes/text-1", "security.capability", capability);
}

/** Sets an attribute of a file below a directory, also of a link. */
export function setAttribute(root: string, name: string, attribute: string, value: string | Uint8Array): void {
  const directory = openSync(root, "r");
  try {
    lsetxattrat(directory, name, attribute, Buffer.from(value as Uint8Array));
  } finally {
    closeSync(directory);
  }
}
