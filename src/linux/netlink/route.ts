/** Requests of rtnetlink(7): links, addresses and routes. Numbers are from linux/rtnetlink.h, if_link.h, if_addr.h, veth.h. */
import { ipv4Bytes } from "../ipv4.ts";
import type { LinkAddress } from "./ask.ts";
import { ASK, MAKE, type MessageWriter } from "./message.ts";

const RTM = { newLink: 16, deleteLink: 17, newAddress: 20, newRoute: 24 } as const;
const IFLA = {
  address: 1,
  name: 3,
  master: 10,
  linkInfo: 18,
  netNsPid: 19,
  alias: 20,
  netNsFd: 28,
  afSpec: 26,
} as const;
const INFO = { kind: 1, data: 2, slaveKind: 4, slaveData: 5 } as const;
const VETH_INFO_PEER = 1;
const BRPORT_MODE = 4;
const INET6_ADDR_GEN_MODE = 8;
const ADDR_GEN_NONE = 1;
const IFA = { address: 1, local: 2, broadcast: 4 } as const;
const RTA_GATEWAY = 5;
const AF_INET = 2;
const AF_INET6 = 10;
const IFF_UP = 1;

/** struct ifinfomsg. The kernel finds the link by its name where the index is 0. */
function linkHeader(writer: MessageWriter, up: boolean): void {
  const header = new Uint8Array(16);
  header[8] = up ? IFF_UP : 0;
  header[12] = up ? IFF_UP : 0;
  writer.raw(header);
}

/** Six bytes of `02:42:0a:00:00:02`. */
export function macBytes(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(":"), (part) => Number.parseInt(part, 16));
}

/** Makes a bridge that is down. The address is fixed, or it would change with the ports. EEXIST where the name is taken. */
export function createBridge(writer: MessageWriter, name: string, mac: string): void {
  writer.message(RTM.newLink, MAKE, () => {
    linkHeader(writer, false);
    writer.text(IFLA.name, name);
    writer.bytes(IFLA.address, macBytes(mac));
    writer.nest(IFLA.linkInfo, () => writer.text(INFO.kind, "bridge"));
  });
}

export interface VethEnd {
  readonly name: string;
  readonly mac: string;
}

/**
 * Makes a pair, both ends down: one here, `peer` in the network namespace of the process whose pid goes to the offset that is
 * returned. EEXIST where a name is taken.
 */
export function createVeth(writer: MessageWriter, here: VethEnd, peer: VethEnd): number {
  let pidOffset = 0;
  writer.message(RTM.newLink, MAKE, () => {
    linkHeader(writer, false);
    writer.text(IFLA.name, here.name);
    writer.bytes(IFLA.address, macBytes(here.mac));
    writer.nest(IFLA.linkInfo, () => {
      writer.text(INFO.kind, "veth");
      writer.nest(INFO.data, () => {
        writer.around(VETH_INFO_PEER, () => {
          linkHeader(writer, false);
          writer.text(IFLA.name, peer.name);
          writer.bytes(IFLA.address, macBytes(peer.mac));
          pidOffset = writer.u32(IFLA.netNsPid, 0);
        });
      });
    });
  });
  return pidOffset;
}

/** Brings a link up. ENODEV where there is none. */
export function bringUp(writer: MessageWriter, name: string): void {
  writer.message(RTM.newLink, ASK, () => {
    linkHeader(writer, true);
    writer.text(IFLA.name, name);
  });
}

/** Gives a link a hardware address. */
export function setMac(writer: MessageWriter, name: string, mac: string): void {
  writer.message(RTM.newLink, ASK, () => {
    linkHeader(writer, false);
    writer.text(IFLA.name, name);
    writer.bytes(IFLA.address, macBytes(mac));
  });
}

/** Puts a link on a bridge, notes whose it is and brings it up; the bridge's index goes to the offset that is returned. */
export function enslave(writer: MessageWriter, name: string, owner: string): number {
  let masterOffset = 0;
  writer.message(RTM.newLink, ASK, () => {
    linkHeader(writer, true);
    writer.text(IFLA.name, name);
    masterOffset = writer.u32(IFLA.master, 0);
    writer.bytes(IFLA.alias, Buffer.from(owner));
  });
  return masterOffset;
}

/** Lets a bridge send a frame back through the port it came from. The port must be on its bridge already. */
export function enableHairpin(writer: MessageWriter, port: string): void {
  writer.message(RTM.newLink, ASK, () => {
    linkHeader(writer, false);
    writer.text(IFLA.name, port);
    writer.nest(IFLA.linkInfo, () => {
      writer.text(INFO.slaveKind, "bridge");
      writer.nest(INFO.slaveData, () => writer.u8(BRPORT_MODE, 1));
    });
  });
}

/** No IPv6 link-local address for a link. EAFNOSUPPORT where the kernel has no IPv6. */
export function withoutLinkLocal(writer: MessageWriter, name: string): void {
  writer.message(RTM.newLink, ASK, () => {
    linkHeader(writer, false);
    writer.text(IFLA.name, name);
    writer.nest(IFLA.afSpec, () => {
      writer.nest(AF_INET6, () => writer.u8(INET6_ADDR_GEN_MODE, ADDR_GEN_NONE));
    });
  });
}

/** Removes a link, and the other end of a pair with it. ENODEV where there is none. */
export function deleteLink(writer: MessageWriter, name: string): void {
  writer.message(RTM.deleteLink, ASK, () => {
    linkHeader(writer, false);
    writer.text(IFLA.name, name);
  });
}

/** Adds an address; the link's index goes to the offset that is returned. EEXIST where the link has it. */
export function addAddress(writer: MessageWriter, address: number, prefix: number, broadcast: number): number {
  let indexOffset = 0;
  writer.message(RTM.newAddress, MAKE, () => {
    const header = Uint8Array.of(AF_INET, prefix, 0, 0, 0, 0, 0, 0);
    indexOffset = writer.raw(header) + 4;
    writer.bytes(IFA.local, ipv4Bytes(address));
    writer.bytes(IFA.address, ipv4Bytes(address));
    writer.bytes(IFA.broadcast, ipv4Bytes(broadcast));
  });
  return indexOffset;
}

/** Adds the default route by way of an address that is reached directly: main table, protocol boot, universe, unicast. */
export function addDefaultRoute(writer: MessageWriter, gateway: number): void {
  writer.message(RTM.newRoute, MAKE, () => {
    writer.raw(Uint8Array.of(AF_INET, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0));
    writer.bytes(RTA_GATEWAY, ipv4Bytes(gateway));
  });
}

/**
 * Moves a link of this index to another network namespace, under a name there; it is down then. Returns where a pid of the namespace goes,
 * or a descriptor of it. EEXIST where the name is taken, EINVAL for a link that is bound to its namespace.
 */
export function moveLink(writer: MessageWriter, index: number, name: string, to: "pid" | "fd"): number {
  let offset = 0;
  writer.message(RTM.newLink, ASK, () => {
    const header = new Uint8Array(16);
    new DataView(header.buffer).setInt32(4, index, true);
    writer.raw(header);
    offset = writer.u32(to === "pid" ? IFLA.netNsPid : IFLA.netNsFd, 0);
    writer.text(IFLA.name, name);
  });
  return offset;
}

/** An address as another link had it; the link's index goes to the offset that is returned. */
export function copyAddress(writer: MessageWriter, { family, prefix, scope, attributes }: LinkAddress): number {
  let indexOffset = 0;
  writer.message(RTM.newAddress, MAKE, () => {
    indexOffset = writer.raw(Uint8Array.of(family, prefix, 0, scope, 0, 0, 0, 0)) + 4;
    for (const type of [IFA.local, IFA.address, IFA.broadcast]) {
      const content = attributes.get(type);
      if (content !== undefined) writer.bytes(type, content);
    }
  });
  return indexOffset;
}
