/** The host's side of container networks: leases in the store's database, everything else in the kernel. */
import type { Database } from "bun:sqlite";
import { existsSync, readFileSync } from "node:fs";
import { errno } from "../linux/errno.ts";
import { formatIpv4, formatSubnet, parseSubnet, type Subnet, subnetOf } from "../linux/ipv4.ts";
import type { Step } from "../recipe/recipe.ts";
import {
  attachmentOf,
  filterStep,
  loopbackSteps,
  removePair,
  reserve,
  withdrawal,
  withdrawalIfFree,
} from "./attachment.ts";
import { isMissingNetwork, isTakenElsewhere, reservedPort } from "./failures.ts";
import { seizeMessages, seizeOneMessages } from "./firewall.ts";
import { type Lease, Leases } from "./leases.ts";
import { type Place, portName } from "./names.ts";
import { runSteps, setUpHost, succeeds } from "./setup.ts";
import { chooseSubnet, hostRoutes, isFree, ownerOf, placeOfBridge } from "./subnet.ts";
import type {
  BridgeAttachment,
  BridgeRequest,
  FailedStep,
  Live,
  NetworkSteps,
  Networks,
  PublishedPort,
} from "./types.ts";

export interface NetworkOptions {
  /** Opened with {@link networkSchema}. */
  readonly database: Database;
  /** Path of the native program. */
  readonly native: string;
  /** A file that locks set-up among all stores of the host; /run/galley-network.lock where absent. */
  readonly lock?: string;
}

/** Nothing is read or made before the first use. */
export function openNetworks(options: NetworkOptions): Networks {
  return new BridgeNetworks(options);
}

const LOCK = "/run/galley-network.lock";
/** How long an address that the user asked for may still be held by its last container's end, in milliseconds. */
const PATIENCE = 3000;

class BridgeNetworks implements Networks {
  readonly #leases: Leases;

  constructor(readonly options: NetworkOptions) {
    this.#leases = new Leases(options.database);
  }

  async setup(options: { readonly heal?: boolean } = {}): Promise<void> {
    const before = this.#leases.state("set up");
    if (options.heal !== true && wasSetUp(before)) return;
    const { lockFile } = await import("../linux/sys/lock.ts");
    using _lock = await lockFile(this.options.lock ?? LOCK, "exclusive");
    // Somebody who waited for the lock need not do again what its holder has done meanwhile.
    const now = this.#leases.state("set up");
    if (now !== before && wasSetUp(now)) return;
    await setUpHost(this.options.native, this.#placeToSetUp(), this.#leases.all().filter(isConnected));
    this.#leases.remember("set up", `${bootId()} ${crypto.randomUUID()}`);
  }

  attach(request: BridgeRequest): BridgeAttachment {
    const place = this.#place();
    const lease = this.#leases.take(request, place, isBusy);
    return attachmentOf(lease, place, request.restarts !== false);
  }

  preview(request: BridgeRequest): BridgeAttachment {
    const place = this.#place();
    return attachmentOf(this.#leases.preview(request, place), place, request.restarts !== false);
  }

  loopback(): NetworkSteps {
    return loopbackSteps();
  }

  gateway(): string {
    return formatIpv4(this.#place().gateway);
  }

  async recover(request: BridgeRequest, failed: FailedStep): Promise<boolean> {
    if (isMissingNetwork({ op: failed.step.op, errno: failed.errno })) {
      await this.setup({ heal: true });
      return true;
    }
    const taken = isTakenElsewhere(failed);
    if (taken === "port") return this.#seizePorts(request);
    if (taken === "address") return request.address === undefined || (await this.#awaitAddress(request.container));
    return failed.errno === errno.EADDRINUSE && wasChosen(request, failed);
  }

  release(container: string): void {
    this.#leases.release(container);
  }

  async sweep(live: Live): Promise<void> {
    const leases = this.#leases.all();
    if (leases.length === 0) return;
    const living = typeof live === "function" ? await live() : live;
    const gone = leases.filter(({ container }) => !living.has(container));
    const steps = gone.flatMap(removalOf);
    if (steps.length > 0) await runSteps(this.options.native, steps);
    for (const lease of gone) this.#leases.releaseExactly(lease);
  }

  /** The bridge knows best; without one, what this store has used before, or will. */
  #place(): Place {
    return placeOfBridge() ?? gatewayOf(this.#rememberedSubnet() ?? this.#newSubnet());
  }

  #placeToSetUp(): Place {
    const there = placeOfBridge();
    if (there !== undefined) return there;
    const known = this.#rememberedSubnet();
    return gatewayOf(known !== undefined && isFree(known, hostRoutes()) ? known : this.#newSubnet());
  }

  #rememberedSubnet(): Subnet | undefined {
    return parseSubnet(this.#leases.state("subnet") ?? "");
  }

  #newSubnet(): Subnet {
    const subnet = chooseSubnet(hostRoutes());
    this.#leases.remember("subnet", formatSubnet(subnet));
    return subnet;
  }

  /** Whoever can bind the host's port owns it: what the firewall has of it was left by a container that is gone. */
  async #seizePorts(request: BridgeRequest): Promise<boolean> {
    const lease = this.#leases.all().find(({ container }) => container === request.container);
    if (lease === undefined) return false;
    const { address, ports } = lease;
    const reserved = ports.flatMap((port) => reserve(address, port));
    const { native } = this.options;
    if (!(await succeeds(native, reserved))) return true;
    if (await succeeds(native, [...reserved, filterStep("seize stale ports", seizeMessages(ports))])) return true;
    const one = (port: PublishedPort) => filterStep("seize a stale port", seizeOneMessages(port), [errno.ENOENT]);
    return succeeds(native, [...reserved, ...ports.map(one)]);
  }

  async #awaitAddress(container: string): Promise<boolean> {
    const address = this.#leases.all().find((lease) => lease.container === container)?.address;
    const end = performance.now() + PATIENCE;
    while (address !== undefined && isBusy(address)) {
      if (performance.now() > end) return false;
      await Bun.sleep(20);
    }
    return address !== undefined;
  }
}

/** Since this boot, by this store; and the bridge is there still. */
function wasSetUp(state: string | undefined): boolean {
  return state?.startsWith(`${bootId()} `) === true && placeOfBridge() !== undefined;
}

/** Something on the host has the address's interface: another store's container, or one whose end is not over. */
function isBusy(address: number): boolean {
  return existsSync(`/sys/class/net/${portName(address)}`);
}

/** The first address of a network is the gateway's. */
function gatewayOf({ address, prefix }: Subnet): Place {
  return { gateway: subnetOf(address, prefix).address + 1, prefix };
}

/** The request left the number to us: the next attempt takes another. */
function wasChosen(request: BridgeRequest, { step }: FailedStep): boolean {
  const port = reservedPort(step);
  if (port === undefined) return false;
  return !request.ports.some(({ hostPort, protocol }) => hostPort === port.hostPort && protocol === port.protocol);
}

/** The lease's interface is there and this container's: another store may have used a dead container's address. */
function isConnected({ address, container }: Lease): boolean {
  return ownerOf(portName(address)) === container;
}

/** One by one: another container may have some of the ports by now. */
function removalOf(lease: Lease): Step[] {
  const inherited = isBusy(lease.address) && !isConnected(lease);
  const ports = lease.ports.flatMap((port) => {
    const one = { ...lease, ports: [port] };
    return inherited ? withdrawalIfFree(one) : withdrawal(one);
  });
  return [...ports, ...(isConnected(lease) ? [removePair(lease)] : [])];
}

let boot: string | undefined;

function bootId(): string {
  boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return boot;
}
