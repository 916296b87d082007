/**
 * Expressions of nf_tables rules (linux/netfilter/nf_tables.h): small machines over registers of 4 bytes, run from left to right
 * until one does not match. Registers are counted from 0 here, NFT_REG32_00 and up there.
 */
import type { MessageWriter } from "../netlink/message.ts";

export type Expression = (writer: MessageWriter) => void;

const EXPRESSION = { name: 1, data: 2 } as const;
const DATA = { value: 1, verdict: 2 } as const;
const VERDICT = { code: 1, chain: 2 } as const;
const VERDICT_REGISTER = 0;
const FIRST_REGISTER = 8;

/** What becomes of a packet: NF_DROP, NF_ACCEPT, NFT_JUMP, NFT_RETURN. */
export type Verdict =
  | { readonly kind: "accept" | "drop" | "return" }
  | { readonly kind: "jump"; readonly chain: string };
const verdictCodes = { drop: 0, accept: 1, jump: -3, return: -5 } as const;

const register = (index: number): number => FIRST_REGISTER + index;

function expression(name: string, data: (writer: MessageWriter) => void): Expression {
  return (writer) => {
    writer.text(EXPRESSION.name, name);
    writer.nest(EXPRESSION.data, () => data(writer));
  };
}

const metaKeys = { inputName: 6, outputName: 7, protocol: 16 } as const;

/** Loads the name of an interface (16 bytes) or the transport protocol (1 byte). */
export function loadMeta(key: keyof typeof metaKeys, to: number): Expression {
  return expression("meta", (writer) => {
    writer.be32(2, metaKeys[key]);
    writer.be32(1, register(to));
  });
}

/** Where headers start, and what is loaded of them: offset and size. */
const payloads = {
  source: [1, 12, 4],
  destination: [1, 16, 4],
  destinationPort: [2, 2, 2],
} as const;

/** Loads a field of the IPv4 header, or the destination port of TCP, UDP and SCTP. */
export function loadPayload(field: keyof typeof payloads, to: number): Expression {
  const [base, offset, size] = payloads[field];
  return expression("payload", (writer) => {
    writer.be32(1, register(to));
    writer.be32(2, base);
    writer.be32(3, offset);
    writer.be32(4, size);
  });
}

const conntrackKeys = { state: 0, status: 2 } as const;
/** Bits of ct state (nf_tables' own) and of ct status (enum ip_conntrack_status), in the machine's order. */
export const conntrack = { established: 2, related: 4, destinationNat: 32 } as const;

/** Loads state or status of the packet's connection. */
export function loadConntrack(key: keyof typeof conntrackKeys, to: number): Expression {
  return expression("ct", (writer) => {
    writer.be32(2, conntrackKeys[key]);
    writer.be32(1, register(to));
  });
}

const ADDRTYPE = 3;
const OF_DESTINATION = 2;
export const RTN_LOCAL = 2;

/** Loads the kind of the destination address, as the host's routes have it: {@link RTN_LOCAL} for its own. */
export function loadDestinationKind(to: number): Expression {
  return expression("fib", (writer) => {
    writer.be32(1, register(to));
    writer.be32(3, OF_DESTINATION);
    writer.be32(2, ADDRTYPE);
  });
}

/** A number in the machine's order, as registers of ct and fib have it. */
export function wordBytes(value: number): Uint8Array {
  return Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);
}

/** The 16 bytes of an interface's name. */
export function interfaceBytes(name: string): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set(Buffer.from(name));
  return bytes;
}

/** Goes on where the register equals the bytes, or differs from them. */
export function compare(from: number, how: "equal" | "different", bytes: Uint8Array): Expression {
  return expression("cmp", (writer) => {
    writer.be32(1, register(from));
    writer.be32(2, how === "equal" ? 0 : 1);
    writer.nest(3, () => writer.bytes(DATA.value, bytes));
  });
}

/** Keeps those bits of a register that are set in `mask`. */
export function bitAnd(at: number, mask: Uint8Array): Expression {
  return expression("bitwise", (writer) => {
    writer.be32(1, register(at));
    writer.be32(2, register(at));
    writer.be32(3, mask.length);
    writer.nest(4, () => writer.bytes(DATA.value, mask));
    writer.nest(5, () => writer.bytes(DATA.value, new Uint8Array(mask.length)));
  });
}

/** Looks a key up; goes on where it is there, with its data in `to` where the set is a map. */
export function lookup(set: string, from: number, to?: number): Expression {
  return expression("lookup", (writer) => {
    writer.text(1, set);
    writer.be32(2, register(from));
    if (to !== undefined) writer.be32(3, register(to));
  });
}

/** Writes the content of an NFTA_*_DATA attribute. */
export function writeVerdict(writer: MessageWriter, verdict: Verdict): void {
  writer.nest(DATA.verdict, () => {
    writer.be32(VERDICT.code, verdictCodes[verdict.kind]);
    if (verdict.kind === "jump") writer.text(VERDICT.chain, verdict.chain);
  });
}

export function decide(verdict: Verdict): Expression {
  return expression("immediate", (writer) => {
    writer.be32(1, VERDICT_REGISTER);
    writer.nest(2, () => writeVerdict(writer, verdict));
  });
}

/** Looks a key up in a map of verdicts. */
export function decideBy(map: string, from: number): Expression {
  return expression("lookup", (writer) => {
    writer.text(1, map);
    writer.be32(2, register(from));
    writer.be32(3, VERDICT_REGISTER);
  });
}

const DESTINATION_NAT = 1;
const NFPROTO_IPV4 = 2;

/** Sends the connection to the address and port that two registers hold. */
export function destinationNat(address: number, port: number): Expression {
  return expression("nat", (writer) => {
    writer.be32(1, DESTINATION_NAT);
    writer.be32(2, NFPROTO_IPV4);
    writer.be32(3, register(address));
    writer.be32(5, register(port));
  });
}

/** Gives the connection the source address of the interface it leaves by. */
export function masquerade(): Expression {
  return expression("masq", () => undefined);
}
