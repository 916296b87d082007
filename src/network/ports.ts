/** Ports of the host: which are asked for, which are chosen, and which are somebody else's. */
import { GalleyError } from "../errors.ts";
import { formatIpv4, parseIpv4 } from "../linux/ipv4.ts";
import type { Leases } from "./leases.ts";
import type { BridgeRequest, PortRequest, PublishedPort } from "./types.ts";

export const ANY_ADDRESS = "0.0.0.0";
/** RFC 6335, section 6: the dynamic ports. */
const FIRST_DYNAMIC = 49152;
const LAST_PORT = 65535;

/** docker's words for a port of the host that is taken. */
export function portTaken(container: string, port: PublishedPort, cause?: unknown): GalleyError {
  const where = `${port.hostAddress}:${port.hostPort}`;
  return new GalleyError(
    "already_exists",
    `driver failed programming external connectivity on endpoint ${container}: Bind for ${where} failed: port is already allocated`,
    { hint: `publish another port of the host, or end what uses ${where}/${port.protocol}`, cause },
  );
}

/** Leases the request's ports, those with a number first; in the caller's transaction. In the order of the request. */
export function choosePorts(leases: Leases, request: BridgeRequest): PublishedPort[] {
  const wanted = request.ports.map(normalised);
  const fixed = wanted.map((port) => (port.hostPort === 0 ? undefined : leaseFixed(leases, request.container, port)));
  return wanted.map((port, index) => fixed[index] ?? leaseDynamic(leases, request.container, port));
}

function normalised(port: PortRequest): PublishedPort {
  const text = port.hostAddress === undefined || port.hostAddress === "" ? ANY_ADDRESS : port.hostAddress;
  const address = parseIpv4(text);
  if (address === undefined) throw unusableAddress(text);
  if (!isPort(port.containerPort, 1)) throw badPort(port.containerPort);
  if (!isPort(port.hostPort ?? 0, 0)) throw badPort(port.hostPort);
  return { ...port, hostAddress: formatIpv4(address), hostPort: port.hostPort ?? 0 };
}

function unusableAddress(text: string): GalleyError {
  const where = { op: "publish a port", subject: text };
  if (!text.includes(":")) return new GalleyError("invalid_argument", "is not an IPv4 address", where);
  return new GalleyError("unimplemented", "ports are published on IPv4 addresses only", {
    ...where,
    hint: "name an IPv4 address of the host, or none",
  });
}

function isPort(number: number, least: number): boolean {
  return Number.isInteger(number) && number >= least && number <= LAST_PORT;
}

function badPort(number: number | undefined): GalleyError {
  return new GalleyError("invalid_argument", `is not a port number (1 to ${LAST_PORT})`, {
    op: "publish a port",
    subject: String(number),
  });
}

function leaseFixed(leases: Leases, container: string, port: PublishedPort): PublishedPort {
  if (isTaken(leases, port)) throw portTaken(container, port);
  record(leases, container, port);
  return port;
}

/** Goes round the dynamic ports: one that has just been given up, or was found in use, is not the next. */
function leaseDynamic(leases: Leases, container: string, wanted: PublishedPort): PublishedPort {
  const count = LAST_PORT - FIRST_DYNAMIC + 1;
  const last = Number(leases.state("last port") ?? FIRST_DYNAMIC + Math.floor(Math.random() * count));
  for (let step = 1; step <= count; step++) {
    const port = { ...wanted, hostPort: FIRST_DYNAMIC + ((last - FIRST_DYNAMIC + step) % count) };
    if (isTaken(leases, port)) continue;
    leases.remember("last port", String(port.hostPort));
    record(leases, container, port);
    return port;
  }
  throw new GalleyError("resource_exhausted", "no dynamic port of the host is left", { op: "publish a port" });
}

/** A port of all addresses is a port of each. */
function isTaken({ database }: Leases, { protocol, hostPort, hostAddress }: PublishedPort): boolean {
  const query = database.query<unknown, [string, number, string, string]>(
    `SELECT 1 FROM published_ports
      WHERE protocol = ? AND host_port = ? AND (host_address IN (?, '${ANY_ADDRESS}') OR ? = '${ANY_ADDRESS}')`,
  );
  return query.get(protocol, hostPort, hostAddress, hostAddress) !== null;
}

function record({ database }: Leases, container: string, port: PublishedPort): void {
  database
    .query("INSERT INTO published_ports VALUES (?, ?, ?, ?, ?)")
    .run(port.protocol, port.hostPort, port.hostAddress, port.containerPort, container);
}
