/** Requests about tracked connections (linux/netfilter/nfnetlink_conntrack.h). */
import { ipv4Bytes } from "../ipv4.ts";
import { ASK, type MessageWriter } from "./message.ts";

const DELETE = (1 << 8) | 2;
const AF_INET = 2;
const CTA = { original: 1, reply: 2, filter: 25 } as const;
const TUPLE = { ip: 1, protocol: 2 } as const;
const IP_SOURCE = 1;
const PROTOCOL = { number: 1, destinationPort: 3 } as const;
const FILTER = { original: 1, reply: 2 } as const;
/** What a filter compares: bits of the kernel's net/netfilter/nf_conntrack_netlink.c. */
const MATCH = { ipSource: 1, protocol: 8, destinationPort: 32 } as const;

/**
 * Forgets the connections of one protocol that are answered by `address`. Kernels that cannot filter a deletion take the
 * request for an incomplete one and refuse it with EINVAL; they delete nothing.
 */
export function forgetAnswersOf(writer: MessageWriter, address: number, protocol: number): void {
  writer.message(DELETE, ASK, () => {
    writer.raw(Uint8Array.of(AF_INET, 0, 0, 0));
    writer.nest(CTA.reply, () => {
      writer.nest(TUPLE.ip, () => writer.bytes(IP_SOURCE, ipv4Bytes(address)));
      writer.nest(TUPLE.protocol, () => writer.u8(PROTOCOL.number, protocol));
    });
    writer.nest(CTA.filter, () => writer.u32(FILTER.reply, MATCH.ipSource | MATCH.protocol));
  });
}

/** Forgets the connections of one protocol that were opened to `port`, whatever the address. As {@link forgetAnswersOf}. */
export function forgetConnectionsTo(writer: MessageWriter, port: number, protocol: number): void {
  writer.message(DELETE, ASK, () => {
    writer.raw(Uint8Array.of(AF_INET, 0, 0, 0));
    writer.nest(CTA.original, () => {
      writer.nest(TUPLE.protocol, () => {
        writer.u8(PROTOCOL.number, protocol);
        writer.be16(PROTOCOL.destinationPort, port);
      });
    });
    writer.nest(CTA.filter, () => writer.u32(FILTER.original, MATCH.protocol | MATCH.destinationPort));
  });
}
