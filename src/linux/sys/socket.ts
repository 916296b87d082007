/** A pair of connected sockets that keep messages apart (unix(7), SOCK_SEQPACKET), and descriptors sent over them. */
import { syscall } from "./call.ts";
import { O, SYS } from "./flags.ts";
import { addressOf } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const MSG_CMSG_CLOEXEC = 0x40000000;
const MSG_TRUNC = 0x20;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;

/** socketpair(2). The caller closes both. */
export function seqpacketPair(): readonly [number, number] {
  const pair = new Int32Array(2);
  const bytes = new Uint8Array(pair.buffer);
  syscall("socketpair", SYS.socketpair, AF_UNIX, SOCK_SEQPACKET | O.CLOEXEC, 0, addressOf(bytes));
  return [pair[0] ?? -1, pair[1] ?? -1];
}

/** A message: no bytes at the other side's end. `fds` are the receiver's to close. */
export interface ReceivedMessage {
  readonly bytes: Uint8Array;
  readonly fds: readonly number[];
  /** It was longer than the buffer. */
  readonly truncated: boolean;
}

/** recvmsg(2), waiting for a message of at most `size` bytes and 16 descriptors. */
export function receiveMessage(fd: number, size: number): ReceivedMessage {
  const buffer = new Uint8Array(size);
  const control = new Uint8Array(16 + 16 * 4);
  const vector = new BigUint64Array([BigInt(addressOf(buffer)), BigInt(size)]);
  const header = new BigUint64Array(7);
  header[2] = BigInt(addressOf(new Uint8Array(vector.buffer)));
  header[3] = 1n;
  header[4] = BigInt(addressOf(control));
  header[5] = BigInt(control.length);
  const length = syscall("recvmsg", SYS.recvmsg, fd, addressOf(new Uint8Array(header.buffer)), MSG_CMSG_CLOEXEC);
  const flags = Number((header[6] ?? 0n) & 0xffffffffn);
  return {
    bytes: buffer.subarray(0, length),
    fds: rightsIn(control, Number(header[5])),
    truncated: (flags & MSG_TRUNC) !== 0,
  };
}

/** cmsg(3): u64 length with its header, i32 level, i32 type, then the descriptors. */
function rightsIn(control: Uint8Array, length: number): number[] {
  if (length < 16) return [];
  const view = new DataView(control.buffer, control.byteOffset, length);
  if (view.getInt32(8, true) !== SOL_SOCKET || view.getInt32(12, true) !== SCM_RIGHTS) return [];
  const count = Math.floor((Number(view.getBigUint64(0, true)) - 16) / 4);
  return Array.from({ length: count }, (_, index) => view.getInt32(16 + index * 4, true));
}
