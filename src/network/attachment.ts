/** A lease as steps of a container's start and of its end. */
import { existsSync } from "node:fs";
import { errno } from "../linux/errno.ts";
import { broadcastOf, formatIpv4, ipv4Bytes, parseIpv4, subnetOf } from "../linux/ipv4.ts";
import { forgetAnswersOf, forgetConnectionsTo } from "../linux/netlink/conntrack.ts";
import { MessageWriter, netlinkProtocol } from "../linux/netlink/message.ts";
import * as link from "../linux/netlink/route.ts";
import { CWD, type Fixup } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import { checkMessages, describePort, protocolNumbers, publishMessages, withdrawMessages } from "./firewall.ts";
import type { Lease } from "./leases.ts";
import { BRIDGE, CONTAINER_INTERFACE, type Place, portMac, portName } from "./names.ts";
import type { BridgeAttachment, NetworkSteps, PublishedPort } from "./types.ts";

const none: Fixup = { kind: "none" };
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
/** Offset of nlmsg_seq in a message's header. */
const SEQUENCE = 8;

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
      outside: outside(lease, restarts),
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
function outside(lease: Lease, restarts: boolean): Step[] {
  const published = lease.ports.length > 0;
  const words = published ? `publish ${lease.ports.length} port(s)` : "firewall table is there";
  const messages = published ? publishMessages(lease.address, lease.ports) : checkMessages();
  return [
    ...lease.ports.flatMap((port) => reserve(lease.address, port)),
    makePair(lease),
    ...(restarts ? [markPair] : []),
    plugIn(lease),
    filterStep(words, messages),
    ...forgetFormer(lease),
  ];
}

/** Fills a slot once the interface is ours: the clean-up removes none that another container had before. */
const markPair = step("openat", [CWD, "/", O_PATH | O_CLOEXEC, 0], {
  out: "interface",
  cause: "the interface is made",
});

/** A host program cannot take the port then, and one that has it is found. The socket sees no packet while the table is there. */
export function reserve(address: number, port: PublishedPort): Step[] {
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
export function plugIn({ address, container, ports }: Lease): Step {
  const name = portName(address);
  return routeStep(`${name} on ${BRIDGE}`, (writer) => {
    if (hasIpv6()) link.withoutLinkLocal(writer, name);
    const offset = link.enslave(writer, name, container);
    if (ports.length > 0) link.enableHairpin(writer, name);
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
  if (!restarts) return withdrawal(lease);
  return [...withdrawal(lease), removePair(lease, { kind: "slot", offset: SEQUENCE, slot: "interface" })];
}

/** Takes a container's ports back, and none that lead elsewhere by now. */
export function withdrawal({ address, ports }: Lease): Step[] {
  if (ports.length === 0) return [];
  const messages = withdrawMessages(address, ports);
  const withdraw = filterStep(`withdraw ${ports.length} port(s)`, messages, [errno.ENOENT, errno.EEXIST, errno.EBUSY]);
  if (!ports.some(({ protocol }) => protocol === "udp")) return [withdraw];
  const writer = new MessageWriter();
  forgetAnswersOf(writer, address, protocolNumbers.udp);
  return [withdraw, filterStep("forget UDP connections", writer.finish(), NO_CONNECTIONS)];
}

/**
 * Takes one port back if nobody holds it. For an address that another container has by now: whether what leads there is its own,
 * only the host's port tells.
 */
export function withdrawalIfFree(lease: Lease): Step[] {
  const out = `port ${lease.ports.map((port) => describePort(lease.address, port)).join()}`;
  const reserved = lease.ports.flatMap((port) => reserve(lease.address, port));
  if (reserved.length === 0) return withdrawal(lease);
  const guard: Fixup = { kind: "slot", offset: SEQUENCE, slot: out };
  return [
    ...reserved.map((one) => ({ ...one, out, tolerate: [errno.EADDRINUSE, errno.EADDRNOTAVAIL] })),
    ...withdrawal(lease).map((one) => guarded(one, guard)),
  ];
}

/** A netlink step that sends nothing where the slot is empty, and takes that for done. */
function guarded({ args: [protocol, messages], ...one }: Step, guard: Fixup): Step {
  return { ...one, args: [protocol ?? 0, messages ?? 0, guard], tolerate: [...(one.tolerate ?? []), errno.EBADF] };
}

/**
 * Removes both ends. The kernel waits for RCU: some 20 ms.
 * @param guard a fixup of the sequence number, which means nothing; where it fails, nothing is sent
 */
export function removePair({ address }: Lease, guard?: Fixup): Step {
  const name = portName(address);
  const write = (writer: MessageWriter): Fixup | undefined => {
    link.deleteLink(writer, name);
    return guard;
  };
  return routeStep(`remove ${name}`, write, [errno.ENODEV]);
}
