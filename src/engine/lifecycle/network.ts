import type { BridgeAttachment, BridgeRequest } from "../../network/types.ts";
import type { ExtraSteps } from "../../runtime/types.ts";
import { namespaceModes } from "../bundle/modes.ts";
import type { ContainerRecord } from "../records/record.ts";
import type { ContainerSpec, NetworkFacts, PortRequest } from "../types.ts";
import type { Parts } from "./parts.ts";

/** What a container's network is, for its start. */
export interface NetworkPart {
  readonly facts: NetworkFacts;
  readonly steps: ExtraSteps | undefined;
  /** Of a container on the bridge. */
  readonly request?: BridgeRequest;
}

/** Whether the container has addresses of its own. */
export function isOnBridge(spec: ContainerSpec): boolean {
  const { network, isolated } = namespaceModes(spec);
  return network.kind === "own" && !isolated;
}

/** Loads what the network of this container needs; what it returns works at once, as transactions must. */
export async function networkOf(parts: Parts, { id, made: { spec } }: ContainerRecord): Promise<NetworkPlan> {
  const { network } = namespaceModes(spec);
  const mode = spec.network ?? "bridge";
  if (network.kind !== "own") return plan(() => ({ facts: { mode, ports: [] }, steps: undefined }));
  const networks = await parts.networks();
  if (!isOnBridge(spec)) return plan(() => ({ facts: { mode, ports: [] }, steps: networks.loopback() }));
  const request = requestOf(id, spec);
  const part = ({ facts, steps }: BridgeAttachment): NetworkPart => ({ facts: { mode, ...facts }, steps, request });
  return { attach: () => part(networks.attach(request)), preview: () => part(networks.preview(request)) };
}

/** `preview` leases nothing. */
export interface NetworkPlan {
  attach(): NetworkPart;
  preview(): NetworkPart;
}

function plan(make: () => NetworkPart): NetworkPlan {
  return { attach: make, preview: make };
}

function requestOf(id: string, spec: ContainerSpec): BridgeRequest {
  return {
    container: id,
    ...(spec.address ? { address: spec.address } : {}),
    ...(spec.macAddress ? { macAddress: spec.macAddress } : {}),
    ports: portsOf(spec),
    restarts: (spec.restart?.name ?? "no") !== "no",
  };
}

function portsOf(spec: ContainerSpec): readonly PortRequest[] {
  const ports = spec.ports ?? [];
  if (spec.publishAll !== true) return ports;
  const published = new Set(ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`));
  return [...ports, ...(spec.exposed ?? []).filter((port) => !published.has(port)).map(exposedPort)];
}

function exposedPort(text: string): PortRequest {
  const [port, protocol = "tcp"] = text.split("/");
  return { containerPort: Number(port), protocol: protocol === "udp" || protocol === "sctp" ? protocol : "tcp" };
}
