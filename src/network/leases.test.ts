import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatIpv4, parseIpv4 } from "../linux/ipv4.ts";
import { openDatabase } from "../state/database.ts";
import { Leases } from "./leases.ts";
import { networkSchema } from "./schema.ts";
import type { BridgeRequest, PortRequest } from "./types.ts";

let folder = "";
let leases: Leases;
const place = { gateway: parseIpv4("10.9.8.1") ?? 0, prefix: 29 };
const free = (_: number) => false;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "galley-leases-"));
  leases = new Leases(openDatabase(join(folder, "galley.db"), [networkSchema]));
  leases.remember("last address", String(place.gateway));
  leases.remember("last port", "49152");
});

afterEach(() => {
  leases.database.close();
  rmSync(folder, { recursive: true });
});

const take = (container: string, more: Partial<BridgeRequest> = {}, isBusy = free) =>
  leases.take({ container, ports: [], ...more }, place, isBusy);
const address = (...args: Parameters<typeof take>) => formatIpv4(take(...args).address);
const tcp = (hostPort?: number, hostAddress?: string): PortRequest => ({
  protocol: "tcp",
  containerPort: 80,
  ...(hostPort === undefined ? {} : { hostPort }),
  ...(hostAddress === undefined ? {} : { hostAddress }),
});
const published = (container: string, ...ports: PortRequest[]) =>
  take(container, { ports }).ports.map((port) => `${port.hostAddress}:${port.hostPort}`);

test("addresses go round, without those of network, gateway and all", () => {
  expect(["a", "b", "c", "d", "e"].map((id) => address(id))).toEqual([
    "10.9.8.2",
    "10.9.8.3",
    "10.9.8.4",
    "10.9.8.5",
    "10.9.8.6",
  ]);
  expect(() => take("f")).toThrow("no address is left");
  leases.release("b");
  expect(address("f")).toBe("10.9.8.3");
  leases.release("c");
  leases.release("d");
  expect(address("g")).toBe("10.9.8.4");
});

test("a released address is not the next", () => {
  address("a");
  leases.release("a");
  leases.release("never there");
  expect(address("b")).toBe("10.9.8.3");
});

test("a container keeps its address, unless something else has it now", () => {
  expect(address("a")).toBe("10.9.8.2");
  expect(address("a")).toBe("10.9.8.2");
  expect(address("a", {}, (busy) => busy === place.gateway + 1)).toBe("10.9.8.3");
  expect(address("b", {}, (busy) => busy !== place.gateway + 4)).toBe("10.9.8.5");
});

test("addresses and MAC addresses that are asked for", () => {
  expect(take("a", { address: "10.9.8.5", macAddress: "02:00:00:00:00:01" })).toMatchObject({
    macAddress: "02:00:00:00:00:01",
  });
  expect(take("b").macAddress).toBe("02:42:0a:09:08:02");
  expect(() => take("c", { address: "10.9.8.5" })).toThrow("Address already in use");
  for (const wrong of ["10.9.8.1", "10.9.8.0", "10.9.8.7", "10.9.8.9"]) {
    expect(() => take("c", { address: wrong })).toThrow("is not an address for a container in 10.9.8.0/29");
  }
});

test("ports belong to one container, on one address or on all", () => {
  expect(published("a", tcp(80), tcp(81, "10.0.0.1"))).toEqual(["0.0.0.0:80", "10.0.0.1:81"]);
  expect(published("b", tcp(81, "10.0.0.2"), { ...tcp(80), protocol: "udp" })).toEqual(["10.0.0.2:81", "0.0.0.0:80"]);
  expect(() => published("c", tcp(80, "10.0.0.3"))).toThrow("Bind for 10.0.0.3:80 failed: port is already allocated");
  expect(() => published("c", tcp(81))).toThrow("Bind for 0.0.0.0:81 failed");
  expect(leases.all().map(({ container }) => container)).toEqual(["a", "b"]);
  expect(published("a", tcp(80), tcp(81, "10.0.0.1"))).toHaveLength(2);
});

test("ports are chosen beside those that are asked for", () => {
  expect(published("a", tcp(), tcp(49153), tcp(0))).toEqual(["0.0.0.0:49154", "0.0.0.0:49153", "0.0.0.0:49155"]);
  leases.remember("last port", "65535");
  expect(published("b", tcp())).toEqual(["0.0.0.0:49152"]);
});

test("bad ports are refused by name", () => {
  expect(() => published("a", tcp(70_000))).toThrow("is not a port number");
  expect(() => published("a", { ...tcp(80), containerPort: 0 })).toThrow("is not a port number");
  expect(() => published("a", tcp(80, "::1"))).toThrow("IPv4 addresses only");
  expect(() => published("a", tcp(80, "localhost"))).toThrow("is not an IPv4 address");
});

test("a preview leases nothing", () => {
  const ports = [tcp(), tcp(80)];
  const seen = leases.preview({ container: "a", ports }, place);
  expect(leases.all()).toEqual([]);
  expect(take("a", { ports })).toEqual(seen);
  expect(leases.preview({ container: "a", ports: [] }, place).address).toBe(seen.address);
  expect(leases.all()[0]?.ports).toHaveLength(2);
});

test("a lease that has changed meanwhile is not released", () => {
  const before = take("a");
  take("a", {}, (address) => address === before.address);
  leases.releaseExactly(before);
  expect(leases.all()).toHaveLength(1);
  leases.releaseExactly(take("a"));
  expect(leases.all()).toHaveLength(0);
});
