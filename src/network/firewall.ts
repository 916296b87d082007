/**
 * The firewall: one table of family ip. A container changes two maps and no rule; so a start is one small transaction, whatever
 * its number of ports, and the rules are the same for one container and for a thousand. docs/networking.md has it as text.
 */
import { formatIpv4, ipv4Bytes, mask, parseIpv4, subnetOf } from "../linux/ipv4.ts";
import { MessageWriter } from "../linux/netlink/message.ts";
import {
  bitAnd,
  compare,
  conntrack,
  decide,
  destinationNat,
  type Expression,
  interfaceBytes,
  loadConntrack,
  loadDestinationKind,
  loadMeta,
  loadPayload,
  lookup,
  masquerade,
  RTN_LOCAL,
  wordBytes,
} from "../linux/nftables/expression.ts";
import { type Element, type Field, fieldBytes, priority, TableWriter } from "../linux/nftables/message.ts";
import { BRIDGE, type Place, TABLE } from "./names.ts";
import { ANY_ADDRESS } from "./ports.ts";
import type { Protocol, PublishedPort } from "./types.ts";

/** IP protocol numbers. */
export const protocolNumbers: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17, sctp: 132 };

const maps = { everywhere: "ports", byAddress: "ports_by_address" } as const;
const chains = {
  guard: "guard",
  incoming: "incoming",
  local: "local",
  forward: "forward",
  outgoing: "outgoing",
} as const;

/**
 * One transaction that makes the table as it must be, from nothing or from whatever is there: rules are replaced, the maps'
 * elements stay.
 */
export function tableMessages(place: Place): Uint8Array {
  const table = new TableWriter(new MessageWriter(), TABLE);
  table.batch(() => {
    table.ensureTable();
    declareChains(table);
    declareMaps(table);
    for (const chain of Object.values(chains)) table.flushChain(chain);
    addRules(table, place);
  });
  return table.writer.finish();
}

function declareChains(table: TableWriter): void {
  table.ensureChain(chains.guard, { type: "filter", hook: "prerouting", priority: priority.raw });
  table.ensureChain(chains.incoming, { type: "nat", hook: "prerouting", priority: priority.destinationNat });
  table.ensureChain(chains.local, { type: "nat", hook: "output", priority: priority.destinationNat });
  table.ensureChain(chains.forward, { type: "filter", hook: "forward", priority: priority.filter });
  table.ensureChain(chains.outgoing, { type: "nat", hook: "postrouting", priority: priority.sourceNat });
}

function declareMaps(table: TableWriter): void {
  const target: readonly Field[] = ["address", "port"];
  table.ensureSet(maps.everywhere, ["protocol", "port"], target);
  table.ensureSet(maps.byAddress, ["address", "protocol", "port"], target);
}

function addRules(table: TableWriter, place: Place): void {
  addGuard(table);
  table.rule(chains.incoming, [...inNetwork("destination", LOOPBACK), decide({ kind: "return" })]);
  for (const chain of [chains.incoming, chains.local]) {
    table.rule(chain, toPublishedAddress());
    table.rule(chain, toPublishedPort());
  }
  addForward(table);
  addMasquerade(table, place);
}

interface Network {
  readonly address: number;
  readonly prefix: number;
}
const LOOPBACK: Network = { address: 0x7f000000, prefix: 8 };

const isInput = (how: "equal" | "different"): Expression[] => [
  loadMeta("inputName", 0),
  compare(0, how, interfaceBytes(BRIDGE)),
];
const isOutput = (how: "equal" | "different"): Expression[] => [
  loadMeta("outputName", 0),
  compare(0, how, interfaceBytes(BRIDGE)),
];

function inNetwork(end: "source" | "destination", { address, prefix }: Network): Expression[] {
  return [loadPayload(end, 0), bitAnd(0, ipv4Bytes(mask(prefix))), compare(0, "equal", ipv4Bytes(address))];
}

/** Some bit of a connection's state or status is set. */
function hasConntrack(key: "state" | "status", bits: number): Expression[] {
  return [loadConntrack(key, 0), bitAnd(0, wordBytes(bits)), compare(0, "different", wordBytes(0))];
}

/**
 * The bridge routes loopback addresses (route_localnet), so that ports published there can be reached; a container must not use
 * that to speak to the host's loopback, or in its name.
 */
function addGuard(table: TableWriter): void {
  for (const end of ["destination", "source"] as const) {
    table.rule(chains.guard, [...isInput("equal"), ...inNetwork(end, LOOPBACK), decide({ kind: "drop" })]);
  }
}

function toPublishedAddress(): Expression[] {
  return [
    loadPayload("destination", 0),
    loadMeta("protocol", 1),
    loadPayload("destinationPort", 2),
    lookup(maps.byAddress, 0, 0),
    destinationNat(0, 1),
  ];
}

function toPublishedPort(): Expression[] {
  return [
    loadDestinationKind(0),
    compare(0, "equal", wordBytes(RTN_LOCAL)),
    loadMeta("protocol", 0),
    loadPayload("destinationPort", 1),
    lookup(maps.everywhere, 0, 0),
    destinationNat(0, 1),
  ];
}

/** To the bridge from elsewhere: answers, and what was sent to a published port. The rest is left to the host's own tables. */
function addForward(table: TableWriter): void {
  const accept = decide({ kind: "accept" });
  const known = conntrack.established | conntrack.related;
  table.rule(chains.forward, [...isOutput("different"), accept]);
  table.rule(chains.forward, [...isInput("equal"), accept]);
  table.rule(chains.forward, [...hasConntrack("state", known), accept]);
  table.rule(chains.forward, [...hasConntrack("status", conntrack.destinationNat), accept]);
  table.rule(chains.forward, [decide({ kind: "drop" })]);
}

/** To the world as the host; from the host's loopback, and back to the bridge by a published port, as the gateway. */
function addMasquerade(table: TableWriter, { gateway, prefix }: Place): void {
  const containers = inNetwork("source", subnetOf(gateway, prefix));
  table.rule(chains.outgoing, [...containers, ...isOutput("different"), masquerade()]);
  table.rule(chains.outgoing, [...inNetwork("source", LOOPBACK), ...isOutput("equal"), masquerade()]);
  const published = hasConntrack("status", conntrack.destinationNat);
  table.rule(chains.outgoing, [...containers, ...isOutput("equal"), ...published, masquerade()]);
}

const portBytes = (port: number): Uint8Array => Uint8Array.of(port >>> 8, port);

function keyOf({ protocol, hostAddress, hostPort }: PublishedPort): Uint8Array {
  const rest = [Uint8Array.of(protocolNumbers[protocol]), portBytes(hostPort)];
  if (hostAddress === ANY_ADDRESS) return fieldBytes(...rest);
  return fieldBytes(ipv4Bytes(parseIpv4(hostAddress) ?? 0), ...rest);
}

/** The elements of a container's ports, by the map they belong to. */
function elementsOf(address: number, ports: readonly PublishedPort[]): readonly (readonly [string, Element[]])[] {
  const elements = (some: readonly PublishedPort[]): Element[] =>
    some.map((port) => ({ key: keyOf(port), data: fieldBytes(ipv4Bytes(address), portBytes(port.containerPort)) }));
  return [
    [maps.everywhere, elements(ports.filter((port) => port.hostAddress === ANY_ADDRESS))],
    [maps.byAddress, elements(ports.filter((port) => port.hostAddress !== ANY_ADDRESS))],
  ];
}

/** One transaction that publishes ports; EEXIST or EBUSY where one leads elsewhere already, ENOENT without the table. */
export function publishMessages(address: number, ports: readonly PublishedPort[]): Uint8Array {
  const table = new TableWriter(new MessageWriter(), TABLE);
  table.batch(() => {
    for (const [map, elements] of elementsOf(address, ports)) table.addElements(map, elements);
  });
  return table.writer.finish();
}

/**
 * One transaction that takes ports back. Each element is added before it is deleted: what leads elsewhere is somebody else's, and
 * then nothing is done (EEXIST, EBUSY); what is not there is no failure.
 */
export function withdrawMessages(address: number, ports: readonly PublishedPort[]): Uint8Array {
  const table = new TableWriter(new MessageWriter(), TABLE);
  table.batch(() => {
    for (const [map, elements] of elementsOf(address, ports)) {
      table.addElements(map, elements);
      table.deleteElements(map, keysOf(elements));
    }
  });
  return table.writer.finish();
}

/** One transaction that takes ports back wherever they lead. Needs Linux 6.3; see {@link seizeOneMessages}. */
export function seizeMessages(ports: readonly PublishedPort[]): Uint8Array {
  const table = new TableWriter(new MessageWriter(), TABLE);
  table.batch(() => {
    for (const [map, elements] of elementsOf(0, ports)) table.destroyElements(map, keysOf(elements));
  });
  return table.writer.finish();
}

/** Takes one port back wherever it leads; ENOENT where it leads nowhere. */
export function seizeOneMessages(port: PublishedPort): Uint8Array {
  const table = new TableWriter(new MessageWriter(), TABLE);
  table.batch(() => {
    for (const [map, elements] of elementsOf(0, [port])) table.deleteElements(map, keysOf(elements));
  });
  return table.writer.finish();
}

const keysOf = (elements: readonly Element[]): Uint8Array[] => elements.map(({ key }) => key);

/** Fails with ENOENT where the table is missing. */
export function checkMessages(): Uint8Array {
  const table = new TableWriter(new MessageWriter(), TABLE);
  table.checkTable();
  return table.writer.finish();
}

/** `0.0.0.0:8080 -> 10.187.0.2:80/tcp`. */
export function describePort(address: number, port: PublishedPort): string {
  return `${port.hostAddress}:${port.hostPort} -> ${formatIpv4(address)}:${port.containerPort}/${port.protocol}`;
}
