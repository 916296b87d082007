/** A port of a container; without `hostPort` it is exposed but not published. */
export interface ListedPort {
  readonly containerPort: number;
  readonly protocol: string;
  readonly hostAddress?: string;
  readonly hostPort?: number;
}

interface Run {
  readonly key: string;
  readonly first: number;
  last: number;
}

/**
 * The ports column of `ps`: `70/tcp, 127.0.0.1:9000-9002->9000-9002/tcp, 0.0.0.0:8080->80/tcp`. Neighbouring ports that are
 * published under their own numbers, or not at all, stand as ranges before the ones that are translated.
 */
export function describePorts(ports: readonly ListedPort[]): string {
  const runs: Run[] = [];
  const finished: string[] = [];
  const translated: string[] = [];
  for (const port of [...ports].sort(compare)) {
    if (port.hostPort !== undefined && port.hostPort !== port.containerPort) translated.push(describeTranslated(port));
    else addToRun(runs, finished, port);
  }
  return [...finished, ...runs.map(describeRun), ...translated].join(", ");
}

/** An address with a port; IPv6 addresses in brackets. */
export function hostAndPort(address: string, port: number | string): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function compare(a: ListedPort, b: ListedPort): number {
  return (
    a.containerPort - b.containerPort ||
    compareText(addressKey(a), addressKey(b)) ||
    (a.hostPort ?? 0) - (b.hostPort ?? 0) ||
    compareText(a.protocol, b.protocol)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** IPv4 before IPv6, each in the order of its numbers. */
function addressKey({ hostAddress }: ListedPort): string {
  if (hostAddress === undefined) return "";
  if (hostAddress.includes(":")) return `6${hostAddress}`;
  return `4${hostAddress
    .split(".")
    .map((part) => part.padStart(3, "0"))
    .join(".")}`;
}

function describeTranslated({ hostAddress = "0.0.0.0", hostPort = 0, containerPort, protocol }: ListedPort): string {
  return `${hostAndPort(hostAddress, hostPort)}->${containerPort}/${protocol}`;
}

/** Ports of one address and protocol that follow each other share a run; a gap ends the one before. */
function addToRun(runs: Run[], finished: string[], port: ListedPort): void {
  const key = port.hostPort === undefined ? port.protocol : `${port.hostAddress ?? "0.0.0.0"}/${port.protocol}`;
  const at = runs.findIndex((run) => run.key === key);
  const run = runs[at];
  const fresh = { key, first: port.containerPort, last: port.containerPort };
  if (run === undefined) runs.push(fresh);
  else if (port.containerPort === run.last + 1) run.last = port.containerPort;
  else {
    finished.push(describeRun(run));
    runs[at] = fresh;
  }
}

function describeRun({ key, first, last }: Run): string {
  const [address, protocol] = key.includes("/") ? key.split("/") : [undefined, key];
  const ports = first === last ? String(first) : `${first}-${last}`;
  return address === undefined ? `${ports}/${protocol}` : `${hostAndPort(address, ports)}->${ports}/${protocol}`;
}
