/** The leases of a store: who has which address and which ports of the host. Every change is one immediate transaction. */
import type { Database } from "bun:sqlite";
import { GalleyError } from "../errors.ts";
import { broadcastOf, contains, formatIpv4, parseIpv4, subnetOf } from "../linux/ipv4.ts";
import { containerMac, type Place } from "./names.ts";
import { choosePorts } from "./ports.ts";
import type { BridgeRequest, Protocol, PublishedPort } from "./types.ts";

export interface Lease {
  readonly container: string;
  readonly address: number;
  readonly macAddress: string;
  readonly ports: readonly PublishedPort[];
}

interface LeaseRow {
  readonly container: string;
  readonly address: number;
  readonly mac: string;
}

interface PortRow {
  readonly protocol: Protocol;
  readonly host_port: number;
  readonly host_address: string;
  readonly container_port: number;
}

/** Thrown to end a transaction that must not be kept. */
class Preview extends Error {
  constructor(readonly lease: Lease) {
    super("only a preview");
  }
}

export class Leases {
  constructor(readonly database: Database) {}

  /**
   * Leases an address and ports; a container that has a lease keeps its address where it can. Released addresses are used again
   * only when the whole network has been gone through.
   * @param isBusy whether something on the host uses an address that this store knows nothing of
   */
  take(request: BridgeRequest, place: Place, isBusy: (address: number) => boolean): Lease {
    return this.database.transaction(() => this.#take(request, place, isBusy)).immediate();
  }

  /** What {@link take} would give, without taking it. */
  preview(request: BridgeRequest, place: Place): Lease {
    try {
      return this.database
        .transaction((): Lease => {
          throw new Preview(this.#take(request, place, () => false));
        })
        .immediate();
    } catch (failure) {
      if (failure instanceof Preview) return failure.lease;
      throw failure;
    }
  }

  release(container: string): void {
    this.database.transaction(() => this.#delete(container)).immediate();
  }

  /** Releases the lease if it is still the one that was looked at. */
  releaseExactly({ container, address }: Lease): void {
    this.database
      .transaction(() => {
        if (this.#row(container)?.address === address) this.#delete(container);
      })
      .immediate();
  }

  all(): Lease[] {
    const rows = this.database.query<LeaseRow, []>("SELECT * FROM leases ORDER BY address").all();
    return rows.map((row) => ({
      container: row.container,
      address: row.address,
      macAddress: row.mac,
      ports: this.#ports(row.container),
    }));
  }

  /** A remembered word; undefined where there is none. */
  state(key: string): string | undefined {
    const query = this.database.query<{ value: string }, [string]>("SELECT value FROM network_state WHERE key = ?");
    return query.get(key)?.value;
  }

  remember(key: string, value: string): void {
    this.database.query("INSERT OR REPLACE INTO network_state VALUES (?, ?)").run(key, value);
  }

  #take(request: BridgeRequest, place: Place, isBusy: (address: number) => boolean): Lease {
    const before = this.#row(request.container);
    this.#delete(request.container);
    const address = this.#chooseAddress(request, place, before?.address, isBusy);
    const macAddress = request.macAddress ?? containerMac(address);
    this.database.query("INSERT INTO leases VALUES (?, ?, ?)").run(request.container, address, macAddress);
    return { container: request.container, address, macAddress, ports: choosePorts(this, request) };
  }

  #row(container: string): LeaseRow | null {
    return this.database.query<LeaseRow, [string]>("SELECT * FROM leases WHERE container = ?").get(container);
  }

  #ports(container: string): PublishedPort[] {
    const rows = this.database
      .query<PortRow, [string]>(
        "SELECT * FROM published_ports WHERE container = ? ORDER BY protocol, container_port, host_port",
      )
      .all(container);
    return rows.map((row) => ({
      protocol: row.protocol,
      containerPort: row.container_port,
      hostAddress: row.host_address,
      hostPort: row.host_port,
    }));
  }

  #delete(container: string): void {
    this.database.query("DELETE FROM published_ports WHERE container = ?").run(container);
    this.database.query("DELETE FROM leases WHERE container = ?").run(container);
  }

  #isLeased(address: number): boolean {
    return this.database.query("SELECT 1 FROM leases WHERE address = ?").get(address) !== null;
  }

  #chooseAddress(
    request: BridgeRequest,
    place: Place,
    before: number | undefined,
    isBusy: (address: number) => boolean,
  ): number {
    if (request.address !== undefined) return this.#wantedAddress(request.address, place);
    const kept = before !== undefined && isUsable(before, place) && !this.#isLeased(before) && !isBusy(before);
    return kept ? before : this.#nextAddress(place, isBusy);
  }

  #wantedAddress(text: string, place: Place): number {
    const address = parseIpv4(text);
    const where = { op: "lease an address", subject: text };
    if (address === undefined) throw new GalleyError("invalid_argument", "is not an IPv4 address", where);
    if (!isUsable(address, place)) {
      const { gateway, prefix } = place;
      const range = `${formatIpv4(subnetOf(gateway, prefix).address)}/${prefix}`;
      throw new GalleyError("invalid_argument", `is not an address for a container in ${range}`, where);
    }
    if (this.#isLeased(address)) throw new GalleyError("already_exists", "Address already in use", where);
    return address;
  }

  /** Goes round the network. Stores that share a host begin at different places, so that they rarely meet. */
  #nextAddress(place: Place, isBusy: (address: number) => boolean): number {
    const subnet = subnetOf(place.gateway, place.prefix);
    const size = broadcastOf(subnet) - subnet.address + 1;
    const last = Number(this.state("last address") ?? subnet.address + Math.floor(Math.random() * size));
    const start = contains(subnet, last) ? last - subnet.address : 0;
    for (let step = 1; step <= size; step++) {
      const address = subnet.address + ((start + step) % size);
      if (!isUsable(address, place) || this.#isLeased(address) || isBusy(address)) continue;
      this.remember("last address", String(address));
      return address;
    }
    throw new GalleyError("resource_exhausted", "no address is left", {
      op: "lease an address",
      subject: `${formatIpv4(subnet.address)}/${subnet.prefix}`,
      hint: "remove containers that are not needed",
    });
  }
}

/** In the network, and neither its own address nor the gateway's nor the one of all. */
function isUsable(address: number, { gateway, prefix }: Place): boolean {
  const subnet = subnetOf(gateway, prefix);
  return contains(subnet, address) && ![subnet.address, gateway, broadcastOf(subnet)].includes(address);
}
