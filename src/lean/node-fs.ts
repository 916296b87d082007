/** The part of node:fs that the OCI runtime uses, on system calls. The build puts it in the place of the real one. */
import { errno } from "../linux/errno.ts";
import { AT, AT_FDCWD, O } from "../linux/sys/flags.ts";
import { Stats, statOf } from "./stats.ts";
import { attempt, call, systemFailure } from "./system.ts";

export { Stats };

const PATH_MAX = 4096;
const CHUNK = 16384;

export const constants = { O_RDONLY: O.RDONLY, O_WRONLY: O.WRONLY, O_RDWR: O.RDWR, O_NONBLOCK: O.NONBLOCK } as const;

const openFlags: Readonly<Record<string, number>> = {
  r: O.RDONLY,
  "r+": O.RDWR,
  w: O.WRONLY | O.CREAT | O.TRUNC,
  wx: O.WRONLY | O.CREAT | O.EXCL,
  "wx+": O.RDWR | O.CREAT | O.EXCL,
  a: O.WRONLY | O.CREAT | O.APPEND,
};

type Path = string;
type Content = string | Uint8Array;
interface Mode {
  readonly mode?: number;
}

export function openSync(path: Path, flags: string | number = "r", mode = 0o666): number {
  const number = typeof flags === "number" ? flags : (openFlags[flags] ?? O.RDONLY);
  return call("openat", path, AT_FDCWD, path, number | O.CLOEXEC, mode);
}

export function closeSync(fd: number): void {
  call("close", undefined, fd);
}

export function readSync(fd: number, buffer: Uint8Array): number {
  return call("read", undefined, fd, buffer, buffer.length);
}

export function writeSync(fd: number, content: Content, offset = 0): number {
  const bytes = bytesOf(content);
  return call("write", undefined, fd, offset === 0 ? bytes : bytes.subarray(offset), bytes.length - offset);
}

export function fsyncSync(fd: number): void {
  call("fsync", undefined, fd);
}

/** What is read is an image's or the kernel's: its size is what comes, not what it says of itself. */
export function readFileSync(file: Path | number): Uint8Array;
export function readFileSync(file: Path | number, encoding: "utf8" | "latin1"): string;
export function readFileSync(file: Path | number, encoding?: "utf8" | "latin1"): Uint8Array | string {
  const fd = typeof file === "number" ? file : openSync(file);
  try {
    const bytes = readWhole(fd);
    return encoding === undefined ? bytes : bytes.toString();
  } finally {
    if (typeof file !== "number") closeSync(fd);
  }
}

function readWhole(fd: number): Buffer {
  let buffer = Buffer.alloc(CHUNK);
  let end = 0;
  for (;;) {
    const rest = buffer.subarray(end);
    const got = call("read", undefined, fd, rest, rest.length);
    if (got === 0) return buffer.subarray(0, end);
    end += got;
    if (end === buffer.length) buffer = Buffer.concat([buffer, Buffer.alloc(buffer.length)]);
  }
}

export function writeFileSync(path: Path, content: Content, { mode = 0o666 }: Mode = {}): void {
  writeTo(openSync(path, "w", mode), content);
}

export function appendFileSync(path: Path, content: Content, { mode = 0o666 }: Mode = {}): void {
  writeTo(openSync(path, "a", mode), content);
}

function writeTo(fd: number, content: Content): void {
  const bytes = bytesOf(content);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
  } finally {
    closeSync(fd);
  }
}

function bytesOf(content: Content): Uint8Array {
  return typeof content === "string" ? Buffer.from(content) : content;
}

export function existsSync(path: Path): boolean {
  return statOf(path, 0) instanceof Stats;
}

interface StatOptions {
  readonly throwIfNoEntry?: boolean;
}

export function statSync(path: Path, options: StatOptions = {}): Stats | undefined {
  return found("stat", path, 0, options);
}

export function lstatSync(path: Path, options: StatOptions = {}): Stats | undefined {
  return found("lstat", path, AT.SYMLINK_NOFOLLOW, options);
}

function found(name: string, path: Path, flags: number, { throwIfNoEntry = true }: StatOptions): Stats | undefined {
  const result = statOf(path, flags);
  if (result instanceof Stats) return result;
  if (!throwIfNoEntry && (result === -errno.ENOENT || result === -errno.ENOTDIR)) return undefined;
  throw systemFailure(-result, name, path);
}

export function fstatSync(fd: number): Stats {
  const result = statOf("", AT.EMPTY_PATH, fd);
  if (result instanceof Stats) return result;
  throw systemFailure(-result, "fstat", undefined);
}

/** statfs(2): the type comes first, in a structure of at most 120 bytes. */
export function statfsSync(path: Path): { readonly type: number } {
  const buffer = new BigInt64Array(16);
  call("statfs", path, path, new Uint8Array(buffer.buffer));
  return { type: Number(buffer[0]) };
}

export function mkdirSync(path: Path, { mode = 0o777, recursive = false }: Mode & { recursive?: boolean } = {}): void {
  const result = attempt("mkdirat", AT_FDCWD, path, mode);
  if (result >= 0 || (recursive && result === -errno.EEXIST && statSync(path)?.isDirectory() === true)) return;
  const parent = path.slice(0, path.lastIndexOf("/"));
  if (!recursive || result !== -errno.ENOENT || parent === "") throw systemFailure(-result, "mkdir", path);
  mkdirSync(parent, { mode, recursive });
  call("mkdirat", path, AT_FDCWD, path, mode);
}

export function mkdtempSync(prefix: Path): string {
  const path = `${prefix}${crypto.randomUUID().slice(0, 8)}`;
  mkdirSync(path, { mode: 0o700 });
  return path;
}

export function rmSync(path: Path, { force = false, recursive = false } = {}): void {
  const result = attempt("unlinkat", AT_FDCWD, path, 0);
  if (result >= 0 || (force && result === -errno.ENOENT)) return;
  if (!recursive || result !== -errno.EISDIR) throw systemFailure(-result, "rm", path);
  for (const name of readdirSync(path)) rmSync(`${path}/${name}`, { force, recursive });
  call("unlinkat", path, AT_FDCWD, path, AT.REMOVEDIR);
}

export function renameSync(from: Path, to: Path): void {
  call("renameat2", from, AT_FDCWD, from, AT_FDCWD, to, 0);
}

export function chmodSync(path: Path, mode: number): void {
  call("fchmodat", path, AT_FDCWD, path, mode);
}

export function readlinkSync(path: Path): string {
  const buffer = Buffer.alloc(PATH_MAX);
  return buffer.subarray(0, call("readlinkat", path, AT_FDCWD, path, buffer, PATH_MAX)).toString();
}

/** The kernel knows where a descriptor leads. */
export function realpathSync(path: Path): string {
  const fd = openSync(path, O.PATH);
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

/** The part of node:fs's Dirent that is used. */
export interface Dirent {
  readonly name: string;
  isDirectory(): boolean;
}

const DT_DIR = 4;

export function readdirSync(path: Path): string[];
export function readdirSync(path: Path, options: { readonly withFileTypes: true }): Dirent[];
export function readdirSync(path: Path, options?: { readonly withFileTypes: true }): string[] | Dirent[] {
  const entries = readEntries(path);
  return options === undefined ? entries.map(({ name }) => name) : entries;
}

function readEntries(path: Path): Dirent[] {
  const fd = openSync(path, O.DIRECTORY);
  const buffer = Buffer.alloc(CHUNK);
  const all: Dirent[] = [];
  try {
    for (;;) {
      const size = call("getdents64", path, fd, buffer, buffer.length);
      if (size === 0) return all.filter(({ name }) => name !== "." && name !== "..");
      all.push(...parseEntries(buffer, size));
    }
  } finally {
    closeSync(fd);
  }
}

/** linux_dirent64 has the record's length at 16, the type at 18 and the name at 19 (getdents64(2)). */
function* parseEntries(buffer: Buffer, size: number): Generator<Dirent> {
  for (let at = 0; at < size; at += (buffer[at + 16] ?? 0) | ((buffer[at + 17] ?? 0) << 8)) {
    const isDirectory = buffer[at + 18] === DT_DIR;
    const name = buffer.subarray(at + 19, buffer.indexOf(0, at + 19)).toString();
    yield { name, isDirectory: () => isDirectory };
  }
}
