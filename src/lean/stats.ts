import { deviceNumber } from "../linux/devices.ts";
import { AT_FDCWD } from "../linux/sys/flags.ts";
import { attempt } from "./system.ts";

/** struct statx (linux/stat.h), 256 bytes; basic statistics and the time of birth. */
const SIZE = 256;
const MASK = 0xfff;

const S_IFMT = 0o170000;

/** The part of node:fs's Stats that is used. */
export class Stats {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly ino: number;
  readonly size: number;
  readonly rdev: number;
  readonly birthtime: Date;

  constructor(view: DataView) {
    this.uid = view.getUint32(20, true);
    this.gid = view.getUint32(24, true);
    this.mode = view.getUint16(28, true);
    this.ino = long(view, 32);
    this.size = long(view, 40);
    this.birthtime = new Date(long(view, 80) * 1000 + view.getUint32(88, true) / 1e6);
    this.rdev = deviceNumber(view.getUint32(128, true), view.getUint32(132, true));
  }

  isFile(): boolean {
    return this.is(0o100000);
  }

  isDirectory(): boolean {
    return this.is(0o040000);
  }

  isSymbolicLink(): boolean {
    return this.is(0o120000);
  }

  isCharacterDevice(): boolean {
    return this.is(0o020000);
  }

  isBlockDevice(): boolean {
    return this.is(0o060000);
  }

  isFIFO(): boolean {
    return this.is(0o010000);
  }

  isSocket(): boolean {
    return this.is(0o140000);
  }

  private is(type: number): boolean {
    return (this.mode & S_IFMT) === type;
  }
}

function long(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}

/** statx(2): the statistics, or the error number below zero. */
export function statOf(path: string, flags: number, directory = AT_FDCWD): Stats | number {
  const buffer = new Uint8Array(SIZE);
  const result = attempt("statx", directory, path, flags, MASK, buffer);
  return result < 0 ? result : new Stats(new DataView(buffer.buffer));
}
