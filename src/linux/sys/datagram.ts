/** Datagram sockets of the unix family (unix(7)), which Bun has none of: for sd_notify(3). */
import { errno } from "../errno.ts";
import { syscall } from "./call.ts";
import { O, SYS } from "./flags.ts";
import { addressOf } from "./libc.ts";
import { isErrno, SystemError } from "./system-error.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
/** sun_path's size. */
const LONGEST = 108;

/** A socket that is neither bound nor connected; reading from it does not wait. */
export function datagramSocket(): number {
  return syscall("socket", SYS.socket, AF_UNIX, SOCK_DGRAM | O.CLOEXEC | O.NONBLOCK, 0);
}

/** Binds it to a path that is not there yet. ENAMETOOLONG for one of 108 bytes or more. */
export function bindTo(socket: number, path: string): void {
  const address = addressBytes(path);
  syscall("bind", SYS.bind, socket, addressOf(address), address.length);
}

/** The next datagram, cut to `max` bytes; undefined where there is none. */
export function receiveFrom(socket: number, max: number): Uint8Array | undefined {
  const buffer = new Uint8Array(max);
  try {
    return buffer.subarray(0, syscall("recvfrom", SYS.recvfrom, socket, addressOf(buffer), max, 0, 0, 0));
  } catch (failure) {
    if (isErrno(failure, "EAGAIN")) return undefined;
    throw failure;
  }
}

/** Sends bytes, and a descriptor with them where one is given, to a path; `@NAME` is an abstract one. */
export function sendTo(socket: number, path: string, bytes: Uint8Array, descriptor?: number): void {
  const address = addressBytes(path);
  const control = descriptor === undefined ? new Uint8Array(1) : rights(descriptor);
  const slice = words(addressOf(bytes), bytes.length);
  const controlSize = descriptor === undefined ? 0 : control.length;
  const message = words(addressOf(address), address.length, addressOf(slice), 1, addressOf(control), controlSize, 0);
  syscall("sendmsg", SYS.sendmsg, socket, addressOf(message), MSG_NOSIGNAL);
}

/** pipe2(2): the end to read from and the end to write to, both closed on exec. */
export function pipe(): readonly [read: number, write: number] {
  const ends = new Int32Array(2);
  syscall("pipe2", SYS.pipe2, addressOf(new Uint8Array(ends.buffer)), O.CLOEXEC);
  return [ends[0] ?? -1, ends[1] ?? -1];
}

function addressBytes(path: string): Uint8Array {
  const name = new TextEncoder().encode(path);
  if (name.length >= LONGEST) throw new SystemError(errno.ENAMETOOLONG, "socket", path);
  const abstract = path.startsWith("@");
  if (abstract) name[0] = 0;
  return Uint8Array.of(AF_UNIX, 0, ...name, ...(abstract ? [] : [0]));
}

/** struct cmsghdr with one descriptor, padded. */
function rights(descriptor: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(24));
  view.setBigUint64(0, 20n, true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  view.setInt32(16, descriptor, true);
  return new Uint8Array(view.buffer);
}

function words(...values: readonly number[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values, BigInt).buffer);
}
