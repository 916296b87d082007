/** Questions to rtnetlink(7) about the links of this process's network namespace, by a socket of its own. */
import { errno } from "../errno.ts";
import { syscall } from "../sys/call.ts";
import { SYS } from "../sys/flags.ts";
import { addressOf } from "../sys/libc.ts";
import { withFd } from "../sys/open.ts";
import { SystemError } from "../sys/system-error.ts";
import { MessageWriter, NLM } from "./message.ts";

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NLMSG = { error: 2, done: 3 } as const;
const DUMP = 0x300;
const HEADER = 16;
const RTM = { getLink: 18, newAddress: 20, getAddress: 22 } as const;
const IFLA_NAME = 3;
const IFA_FLAGS = 8;

/** An address that a link has: ifaddrmsg without its index, and its attributes by their types. */
export interface LinkAddress {
  readonly family: number;
  readonly prefix: number;
  /** IFA_F_* of linux/if_addr.h. */
  readonly flags: number;
  /** RT_SCOPE_* of linux/rtnetlink.h; 0 is the universe. */
  readonly scope: number;
  readonly attributes: ReadonlyMap<number, Uint8Array>;
}

/** The index of a link. A `SystemError` ENODEV where there is none of that name. */
export function linkIndex(name: string): number {
  const writer = new MessageWriter();
  writer.message(RTM.getLink, NLM.request, () => {
    writer.raw(new Uint8Array(16));
    writer.text(IFLA_NAME, name);
  });
  const [answer] = ask(writer.finish(), false);
  if (answer === undefined) throw new SystemError(errno.ENODEV, "netlink", name);
  return answer.view.getInt32(4, true);
}

/** All addresses of the link with this index. */
export function addressesOf(index: number): readonly LinkAddress[] {
  const writer = new MessageWriter();
  writer.message(RTM.getAddress, NLM.request | DUMP, () => writer.raw(new Uint8Array(8)));
  return ask(writer.finish(), true)
    .filter(({ type, view }) => type === RTM.newAddress && view.getUint32(4, true) === index)
    .map(({ view }) => addressIn(view));
}

function addressIn(view: DataView): LinkAddress {
  const attributes = attributesIn(view, 8);
  const flags = attributes.get(IFA_FLAGS);
  return {
    family: view.getUint8(0),
    prefix: view.getUint8(1),
    flags: flags === undefined ? view.getUint8(2) : (flags[0] ?? 0) | ((flags[1] ?? 0) << 8),
    scope: view.getUint8(3),
    attributes,
  };
}

function attributesIn(view: DataView, from: number): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  for (let at = from; at + 4 <= view.byteLength; ) {
    const size = Math.max(view.getUint16(at, true), 4);
    const content = new Uint8Array(view.buffer, view.byteOffset + at + 4, Math.min(size, view.byteLength - at) - 4);
    found.set(view.getUint16(at + 2, true), content.slice());
    at += (size + 3) & ~3;
  }
  return found;
}

/** A message's type, and what comes behind its header. */
interface Answer {
  readonly type: number;
  readonly view: DataView;
}

/** @param dump the answer has an end of its own; otherwise it is one datagram */
function ask(request: Uint8Array, dump: boolean): readonly Answer[] {
  return withFd(syscall("socket", SYS.socket, AF_NETLINK, SOCK_RAW_CLOEXEC, 0), (fd) => {
    syscall("sendto", SYS.sendto, fd, addressOf(request), request.length);
    const all: Answer[] = [];
    for (;;) {
      const room = new Uint8Array(32 * 1024);
      const size = syscall("recvfrom", SYS.recvfrom, fd, addressOf(room), room.length);
      if (take(room.subarray(0, size), all) || !dump) return all;
    }
  });
}

/** Adds the messages of a datagram; true at the end of a dump. */
function take(bytes: Uint8Array, all: Answer[]): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const size = Math.max(view.getUint32(at, true), HEADER);
    const type = view.getUint16(at + 4, true);
    if (type === NLMSG.done) return true;
    if (type === NLMSG.error) throw new SystemError(-view.getInt32(at + HEADER, true), "netlink", "");
    all.push({ type, view: new DataView(bytes.buffer, bytes.byteOffset + at + HEADER, size - HEADER) });
    at += (size + 3) & ~3;
  }
  return false;
}
