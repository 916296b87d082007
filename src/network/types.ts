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
  /**
   * False: the recipe is run once only, so that its clean-up can leave the interface to the end of the network namespace. Absent
   * or true: the shim may run it again, and the clean-up waits some 20 ms until the kernel has removed the interface.
   */
  readonly restarts?: boolean;
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

/** A step of an attachment that failed, from the recipe and its report. */
export interface FailedStep {
  readonly step: Step;
  readonly errno: number;
}

/** IDs of the containers that run or are being started. The function is called after the leases have been read. */
export type Live = ReadonlySet<string> | (() => ReadonlySet<string> | Promise<ReadonlySet<string>>);

/**
 * The host's side of container networks. Many processes use it at once on the same store; the leases are in the store's database.
 */
export interface Networks {
  /**
   * Makes bridge, forwarding and firewall table where they are missing. Does nothing but two small reads where this store has done
   * so since boot and the bridge is there; with `heal` it looks at everything, and restores a flushed table with all its ports.
   * Not needed before {@link attach}: its steps fail where something is missing, and {@link recover} is for that.
   */
  setup(options?: { readonly heal?: boolean }): Promise<void>;
  /**
   * Leases address and ports (in one transaction) and gives the steps; `already_exists` where the address or a port is taken. A
   * container that has a lease gets a new one: the same address where it can be had, and ports chosen anew where none was asked for.
   */
  attach(request: BridgeRequest): BridgeAttachment;
  /** The same steps for a lease that is there already, as for `--plan` (then nothing is leased). */
  preview(request: BridgeRequest): BridgeAttachment;
  /**
   * After a step of an attachment failed: repairs what can be repaired, and says whether to {@link attach} again and start again
   * (three attempts are plenty). Otherwise `describeFailure` of failures.ts has the words.
   */
  recover(request: BridgeRequest, failed: FailedStep): Promise<boolean>;
  /** Only the loopback device brought up: for `--network none`. */
  loopback(): NetworkSteps;
  /** The host's address on the bridge, which `host-gateway` stands for. */
  gateway(): string;
  /** Gives the lease back; a no-op where there is none. Only once the clean-up steps have run: {@link sweep} is for the rest. */
  release(container: string): void;
  /** Removes what containers that are gone left on the host: veths, firewall elements and leases without one in `live`. */
  sweep(live: Live): Promise<void>;
}
