import type { Container } from "../types.ts";

type Json = Readonly<Record<string, unknown>>;

/** docker's NetworkSettings. A container that does not run has no address. */
export function networkSettings(container: Container): Json {
  const { network, pid } = container;
  const isRunning = container.state === "running" || container.state === "paused";
  const { address = "", prefix = 0, gateway = "", macAddress = "" } = isRunning ? network : {};
  const own = !network.mode.startsWith("container:") && network.mode !== "host";
  return {
    Bridge: "",
    SandboxID: "",
    SandboxKey: isRunning && own ? `/proc/${pid}/ns/net` : "",
    Ports: isRunning ? portsOf(container) : {},
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: "",
    Gateway: gateway,
    GlobalIPv6Address: "",
    GlobalIPv6PrefixLen: 0,
    IPAddress: address,
    IPPrefixLen: prefix,
    IPv6Gateway: "",
    MacAddress: macAddress,
    Networks: network.mode.startsWith("container:")
      ? {}
      : { [network.mode]: endpoint(container, { address, prefix, gateway, macAddress }) },
  };
}

function endpoint(
  { spec }: Container,
  facts: { readonly address: string; readonly prefix: number; readonly gateway: string; readonly macAddress: string },
): Json {
  return {
    IPAMConfig: spec.address === undefined ? null : { IPv4Address: spec.address },
    Links: null,
    Aliases: null,
    MacAddress: facts.macAddress,
    DriverOpts: null,
    GwPriority: 0,
    NetworkID: "",
    EndpointID: "",
    Gateway: facts.gateway,
    IPAddress: facts.address,
    IPPrefixLen: facts.prefix,
    IPv6Gateway: "",
    GlobalIPv6Address: "",
    GlobalIPv6PrefixLen: 0,
    DNSNames: null,
  };
}

/** By container port: where it is published, null where it is only exposed. */
function portsOf({ network, spec }: Container): Json {
  const ports: Record<string, { HostIp: string; HostPort: string }[] | null> = {};
  for (const port of spec.exposed ?? []) ports[port] = null;
  for (const { containerPort, protocol, hostAddress, hostPort } of network.ports) {
    const key = `${containerPort}/${protocol}`;
    ports[key] = [...(ports[key] ?? []), { HostIp: hostAddress, HostPort: String(hostPort) }];
  }
  return ports;
}
