/** A lease as steps of a container's start and of its end. */
import { existsSync } from "node:fs";
import { errno } from "../linux/errno.ts";
import { broadcastOf, formatIpv4, ipv4Bytes, parseIpv4, subnetOf } from "../linux/ipv4.ts";
import { forgetAnswersOf, forgetConnectionsTo } from "../linux/netlink/conntrack.ts";
import { MessageWriter, netlinkProtocol } from "../linux/netlink/message.ts";
import * as link from "../linux/netlink/route.ts";
import type { Fixup } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import { checkMessages, describePort, protocolNumbers, publishMessages, withdrawMessages } from "./firewall.ts";
import type { Lease } from "./leases.ts";
import { BRIDGE, CONTAINER_INTERFACE, type Place, portMac, portName } from "./names.ts";
import type { BridgeAttachment, NetworkSteps, PublishedPort } from "./types.ts";

const none: Fixup = { kind: "none" };

/** What is tolerated where connections are forgotten: nothing to forget, or a kernel that cannot. */
const NO_CONNECTIONS = [errno.ENOENT, errno.EINVAL, errno.EOPNOTSUPP];

/** A step that sends messages of rtnetlink; `write` returns where a fixup goes. */
export function routeStep(
  cause: string,
  write: (writer: MessageWriter) => Fixup | undefined,
  tolerate: readonly number[] = [],
): Step {
  const writer = new MessageWriter();
  const fixup = write(writer) ?? none;
  return step("netlink", [netlinkProtocol.route, writer.finish(), fixup], { cause, tolerate });
}

/** A step that sends messages of nf_tables or ctnetlink. */
export function filterStep(cause: string, messages: Uint8Array, tolerate: readonly number[] = []): Step {
  return step("netlink", [netlinkProtocol.netfilter, messages, none], { cause, tolerate });
}

/**
 * @param restarts whether the recipe may be run again by itself. Then the clean-up removes the interface, for which the kernel
 *   waits some 20 ms for RCU; else it is left to the end of the container's network namespace, which comes at the same time.
 */
export function attachmentOf(lease: Lease, place: Place, restarts: boolean): BridgeAttachment {
  return {
    facts: {
      address: formatIpv4(lease.address),
      prefix: place.prefix,
      gateway: formatIpv4(place.gateway),
      macAddress: lease.macAddress,
      ports: lease.ports,
    },
    steps: {
      outside: outside(lease),
      inside: [inside(lease, place)],
      cleanup: cleanup(lease, restarts),
    },
  };
}

/** Only the loopback device. */
export function loopbackSteps(): NetworkSteps {
  const inside = routeStep("loopback device", (writer) => void link.bringUp(writer, "lo"));
  return { outside: [], inside: [inside], cleanup: [] };
}

/** What can be refused for a user's reason comes first; no step here waits for RCU. */
function outside(lease: Lease): Step[] {
  const published = lease.ports.length > 0;
  const words = published ? `publish ${lease.ports.length} port(s)` : "firewall table is there";
  const messages = published ? publishMessages(lease.address, lease.ports) : checkMessages();
  return [
    ...lease.ports.flatMap((port) => reserve(lease.address, port)),
    makePair(lease),
    plugIn(lease.address, published),
    filterStep(words, messages),
    ...forgetFormer(lease),
  ];
}

/** A host program cannot take the port then, and one that has it is found. The socket sees no packet while the table is there. */
function reserve(address: number, port: PublishedPort): Step[] {
  const type = { tcp: 1, udp: 2, sctp: undefined }[port.protocol];
  if (type === undefined) return [];
  const socket = new Uint8Array(16);
  socket.set([2, 0, port.hostPort >>> 8, port.hostPort & 255, ...ipv4Bytes(parseIpv4(port.hostAddress) ?? 0)]);
  return [step("reserve_port", [type, socket], { cause: `publish ${describePort(address, port)}` })];
}

function makePair({ address, macAddress }: Lease): Step {
  return routeStep(`network bridge (${formatIpv4(address)})`, (writer) => {
    const here = { name: portName(address), mac: portMac(address) };
    const offset = link.createVeth(writer, here, { name: CONTAINER_INTERFACE, mac: macAddress });
    return { kind: "pid", offset };
  });
}

/** Kernels without IPv6 refuse to hear of it. */
function hasIpv6(): boolean {
  return existsSync("/proc/sys/net/ipv6");
}

/**
 * Puts the host's end on the bridge and brings it up. Hairpin: for a container that uses its own published port where
 * br_netfilter translates addresses on the bridge.
 */
export function plugIn(address: number, hairpin: boolean): Step {
  const name = portName(address);
  return routeStep(`${name} on ${BRIDGE}`, (writer) => {
    if (hasIpv6()) link.withoutLinkLocal(writer, name);
    const offset = link.enslave(writer, name);
    if (hairpin) link.enableHairpin(writer, name);
    return { kind: "interfaceIndex", offset, name: BRIDGE };
  });
}

function inside({ address }: Lease, { gateway, prefix }: Place): Step {
  const broadcast = broadcastOf(subnetOf(gateway, prefix));
  return routeStep(`${formatIpv4(address)}/${prefix} by ${formatIpv4(gateway)}`, (writer) => {
    link.bringUp(writer, "lo");
    if (hasIpv6()) link.withoutLinkLocal(writer, CONTAINER_INTERFACE);
    link.bringUp(writer, CONTAINER_INTERFACE);
    const offset = link.addAddress(writer, address, prefix, broadcast);
    link.addDefaultRoute(writer, gateway);
    return { kind: "interfaceIndex", offset, name: CONTAINER_INTERFACE };
  });
}

/** A client that kept sending while nobody was there has a connection that leads nowhere; it would never end. */
function forgetFormer({ ports }: Lease): Step[] {
  const numbers = ports.filter(({ protocol }) => protocol === "udp").map(({ hostPort }) => hostPort);
  if (numbers.length === 0) return [];
  const writer = new MessageWriter();
  for (const number of numbers) forgetConnectionsTo(writer, number, protocolNumbers.udp);
  return [filterStep("forget former UDP connections", writer.finish(), NO_CONNECTIONS)];
}

function cleanup(lease: Lease, restarts: boolean): Step[] {
  return [...withdrawal(lease), ...(restarts ? [removePair(lease)] : [])];
}

/** Takes a container's ports back. */
export function withdrawal({ address, ports }: Lease): Step[] {
  if (ports.length === 0) return [];
  const withdraw = filterStep(`withdraw ${ports.length} port(s)`, withdrawMessages(ports), [errno.ENOENT]);
  if (!ports.some(({ protocol }) => protocol === "udp")) return [withdraw];
  const writer = new MessageWriter();
  forgetAnswersOf(writer, address, protocolNumbers.udp);
  return [withdraw, filterStep("forget UDP connections", writer.finish(), NO_CONNECTIONS)];
}

/** Removes both ends. The kernel waits for RCU: some 20 ms. */
export function removePair({ address }: Lease): Step {
  const name = portName(address);
  return routeStep(`remove ${name}`, (writer) => void link.deleteLink(writer, name), [errno.ENODEV]);
}
