/** What the network tier takes and gives. Addresses are text, IPv4; ports are numbers. */
import type { Step } from "../recipe/recipe.ts";

export type Protocol = "tcp" | "udp" | "sctp";

/** A port to publish; `hostPort` 0 or absent lets the network choose one, `hostAddress` absent means every address of the host. */
export interface PortRequest {
  readonly containerPort: number;
  readonly protocol: Protocol;
  readonly hostAddress?: string;
  readonly hostPort?: number;
}

export interface PublishedPort extends PortRequest {
  readonly hostAddress: string;
  readonly hostPort: number;
}

/** A container that wants to be on the bridge. */
export interface BridgeRequest {
  /** The container's ID: what the lease is kept under. */
  readonly container: string;
  /** An address or a MAC address that the user asks for. */
  readonly address?: string;
  readonly macAddress?: string;
  readonly ports: readonly PortRequest[];
}

export interface BridgeFacts {
  readonly address: string;
  readonly prefix: number;
  readonly gateway: string;
  readonly macAddress: string;
  readonly ports: readonly PublishedPort[];
}

/** Steps of a container's start, as the runtime takes them. */
export interface NetworkSteps {
  /** After the clone: veth, its peer moved by the pid, firewall, reserved ports. */
  readonly outside: readonly Step[];
  /** In the container's network namespace, once the outside ones have run. */
  readonly inside: readonly Step[];
  /** Undo of the outside ones; each is tried. */
  readonly cleanup: readonly Step[];
}

export interface BridgeAttachment {
  readonly facts: BridgeFacts;
  readonly steps: NetworkSteps;
}

/**
 * The host's side of container networks. Many processes use it at once on the same store; the leases are in the store's database.
 */
export interface Networks {
  /** Makes bridge, forwarding and firewall table where they are missing; cheap where they are there. Also heals a flushed table. */
  setup(): Promise<void>;
  /** Leases address and ports (in one transaction) and gives the steps; `already_exists` where the address or a port is taken. */
  attach(request: BridgeRequest): BridgeAttachment;
  /** The same steps for a lease that is there already, as for `--plan` (then nothing is leased). */
  preview(request: BridgeRequest): BridgeAttachment;
  /** Only the loopback device brought up: for `--network none`. */
  loopback(): NetworkSteps;
  /** Gives the lease back; a no-op where there is none. */
  release(container: string): void;
  /** Removes what containers that are gone left on the host: veths, firewall elements and leases without one in `live`. */
  sweep(live: ReadonlySet<string>): Promise<void>;
}
