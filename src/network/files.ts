/** The three files that tell a container who and where it is: /etc/resolv.conf, /etc/hosts, /etc/hostname. Pure text. */
import { parseIpv4 } from "../linux/ipv4.ts";

/** Where the host's resolver configuration is; the second holds the real servers where systemd-resolved serves on loopback. */
export const resolverFiles = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"] as const;

/** What docker falls back to where the host names no server that a container can reach. */
const PUBLIC_SERVERS = ["8.8.8.8", "8.8.4.4"];

/** What the user asks for; an absent or empty list leaves the host's. */
export interface DnsRequest {
  readonly servers?: readonly string[];
  /** `.` alone: no search list. */
  readonly search?: readonly string[];
  readonly options?: readonly string[];
}

/**
 * A container's resolv.conf (resolv.conf(5)) from the host's. With `shared`, the container is in the host's network, whose
 * loopback it has. Otherwise servers on loopback are left out, as is IPv6, which the bridge does not have.
 */
export function resolvConf(host: string, request: DnsRequest = {}, shared = false): string {
  const found = parseResolver(host);
  const reachable = shared ? found.servers : found.servers.filter(isReachable);
  const servers = given(request.servers) ?? (reachable.length > 0 || shared ? reachable : PUBLIC_SERVERS);
  const search = (given(request.search) ?? found.search).filter((domain) => domain !== ".");
  const options = given(request.options) ?? found.options;
  return [
    ...servers.map((server) => `nameserver ${server}\n`),
    ...(search.length > 0 ? [`search ${search.join(" ")}\n`] : []),
    ...(options.length > 0 ? [`options ${options.join(" ")}\n`] : []),
  ].join("");
}

/** Whether the host's servers are all on its loopback, so that the second of {@link resolverFiles} is to be asked. */
export function servesItself(host: string): boolean {
  const { servers } = parseResolver(host);
  return servers.length > 0 && servers.every((server) => server === "127.0.0.53");
}

function given(list: readonly string[] | undefined): readonly string[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

function isReachable(server: string): boolean {
  return parseIpv4(server) !== undefined && !server.startsWith("127.");
}

interface Resolver {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** The last `search` or `domain` line counts; servers and options add up. Lines that begin with # or ; are comments. */
function parseResolver(text: string): Resolver {
  const lines = text.split("\n").map((line) =>
    line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/),
  );
  const all = (keyword: string): string[] => lines.filter(([word]) => word === keyword).flatMap(([, ...rest]) => rest);
  const search = lines.findLast(([word]) => word === "search" || word === "domain") ?? [];
  const servers = lines.filter(([word]) => word === "nameserver").map(([, server = ""]) => server);
  return { servers: servers.filter((server) => server !== ""), search: search.slice(1), options: all("options") };
}

export interface HostsRequest {
  readonly hostname: string;
  readonly domainname?: string;
  /** The container's own addresses; none without a network of its own. */
  readonly addresses: readonly string[];
  /** `name:address` or `name=address`, as `--add-host` gives them. */
  readonly extra: readonly string[];
  /** What `host-gateway` stands for. */
  readonly gateway: string;
}

const LOCAL = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

/** A container's hosts file (hosts(5)). */
export function hostsFile(request: HostsRequest): string {
  const { hostname, domainname, addresses } = request;
  const names = domainname === undefined || domainname === "" ? hostname : `${hostname}.${domainname}\t${hostname}`;
  return (
    LOCAL + extraHosts(request.extra, request.gateway) + addresses.map((address) => `${address}\t${names}\n`).join("")
  );
}

/** The lines that `--add-host` asks for, also for the host's own file in the host's network. */
export function extraHosts(extra: readonly string[], gateway: string): string {
  return extra.map((entry) => extraLine(entry, gateway)).join("");
}

/** An IPv6 address may stand in brackets, and has colons of its own. */
function extraLine(entry: string, gateway: string): string {
  const at = entry.search(/[:=]/);
  const address = entry.slice(at + 1).replace(/^\[(.*)\]$/, "$1");
  return `${address === "host-gateway" ? gateway : address}\t${entry.slice(0, at)}\n`;
}

/** A container's hostname file (hostname(5)). */
export function hostnameFile(hostname: string): string {
  return `${hostname}\n`;
}
