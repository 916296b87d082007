/** Bun.spawn as the OCI runtime uses it: the native program, which is waited for. */
import { AT_FDCWD, O } from "../linux/sys/flags.ts";
import { LeanBuffer } from "./buffer.ts";
import { attempt, call, systemFailure } from "./system.ts";

type Stdio = "inherit" | "ignore" | "pipe" | number | Uint8Array;

const MFD_CLOEXEC = 1;
const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 1 | O.CLOEXEC;

/** Both ends of what the child shares with us; `ours` only where there is one. */
interface Stream {
  readonly theirs: number;
  readonly ours?: number;
  /** Not to be closed after the start. */
  readonly borrowed?: boolean;
}

export class Child {
  readonly stdio: readonly (number | undefined)[];
  private status: number | undefined;

  constructor(
    readonly pid: number,
    streams: readonly Stream[],
  ) {
    this.stdio = streams.map(({ ours }) => ours);
  }

  /** All that the child writes until it closes its standard output. */
  get stdout(): LeanBuffer {
    return readAll(this.stdio[1] ?? -1);
  }

  /** The exit status; the program waits for it here and now. */
  get exited(): Promise<number> {
    this.status ??= waitFor(this.pid);
    return Promise.resolve(this.status);
  }
}

export function spawn(command: readonly string[], { stdio }: { readonly stdio: readonly Stdio[] }): Child {
  const streams = stdio.map(open);
  const pid = system.spawn(command[0] ?? "", command, Int32Array.from(streams.map(({ theirs }) => theirs)));
  for (const { theirs, borrowed } of streams) if (borrowed !== true) call("close", undefined, theirs);
  if (pid < 0) throw systemFailure(-pid, "spawn", command[0]);
  return new Child(pid, streams);
}

function open(what: Stdio, index: number): Stream {
  if (what === "inherit") return { theirs: index, borrowed: true };
  if (typeof what === "number") return { theirs: what, borrowed: true };
  if (what instanceof Uint8Array) return { theirs: inMemory(what) };
  if (what === "ignore") return { theirs: call("openat", "/dev/null", AT_FDCWD, "/dev/null", O.RDWR | O.CLOEXEC, 0) };
  return index < 3 ? pipe() : pair();
}

/** A child's standard output; nothing is piped into one. */
function pipe(): Stream {
  const ends = new Int32Array(2);
  call("pipe2", undefined, new Uint8Array(ends.buffer), O.CLOEXEC);
  return { ours: ends[0] ?? -1, theirs: ends[1] ?? -1 };
}

function pair(): Stream {
  const ends = new Int32Array(2);
  call("socketpair", undefined, AF_UNIX, SOCK_STREAM_CLOEXEC, 0, new Uint8Array(ends.buffer));
  return { ours: ends[0] ?? -1, theirs: ends[1] ?? -1 };
}

/** The content as a file, read from its beginning. */
function inMemory(content: Uint8Array): number {
  const fd = call("memfd_create", undefined, "input", MFD_CLOEXEC);
  for (let done = 0; done < content.length; ) {
    const rest = content.subarray(done);
    done += call("write", undefined, fd, rest, rest.length);
  }
  call("lseek", undefined, fd, 0, 0);
  return fd;
}

function readAll(fd: number): LeanBuffer {
  const parts: Uint8Array[] = [];
  for (;;) {
    const buffer = new Uint8Array(4096);
    const size = call("read", undefined, fd, buffer, buffer.length);
    if (size === 0) return LeanBuffer.concat(parts);
    parts.push(buffer.subarray(0, size));
  }
}

function waitFor(pid: number): number {
  const status = new Int32Array(1);
  attempt("wait4", pid, new Uint8Array(status.buffer), 0, null);
  const [word = 0] = status;
  return (word & 0x7f) === 0 ? (word >> 8) & 0xff : 128 + (word & 0x7f);
}
