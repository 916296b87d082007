/** Where containers live: a network that the host does not use for anything else. */
import { readFileSync } from "node:fs";
import { GalleyError } from "../errors.ts";
import { overlap, parseIpv4, type Subnet } from "../linux/ipv4.ts";
import { BRIDGE, type Place, placeOfMac } from "./names.ts";

export interface HostRoute extends Subnet {
  readonly interface: string;
}

/** The routes of /proc/net/route (proc(5)) but the default ones; numbers there are in the machine's byte order. */
export function parseRoutes(text: string): HostRoute[] {
  const routes = text
    .split("\n")
    .slice(1)
    .map((line) => line.split(/\s+/))
    .map((words) => ({
      interface: words[0] ?? "",
      address: swapped(words[1] ?? ""),
      prefix: swapped(words[7] ?? "")
        .toString(2)
        .replaceAll("0", "").length,
    }));
  return routes.filter((route) => route.prefix > 0);
}

function swapped(hex: string): number {
  const bytes = hex.match(/../g) ?? [];
  return Number.parseInt(bytes.reverse().join("") || "0", 16);
}

/** The routes of this process's network namespace. */
export function hostRoutes(): HostRoute[] {
  return parseRoutes(readFileSync("/proc/net/route", "utf8"));
}

/** In the order of preference: networks that neither docker nor podman nor many households start with. */
function* candidates(): Generator<Subnet> {
  for (let second = 187; second < 250; second++) yield { address: parseIpv4(`10.${second}.0.0`) ?? 0, prefix: 16 };
  for (let second = 31; second > 15; second--) yield { address: parseIpv4(`172.${second}.0.0`) ?? 0, prefix: 16 };
  for (let third = 250; third > 1; third--) yield { address: parseIpv4(`192.168.${third}.0`) ?? 0, prefix: 24 };
}

/** Whether no route of the host but the bridge's own covers a part of the network. */
export function isFree(subnet: Subnet, routes: readonly HostRoute[]): boolean {
  return !routes.some((route) => route.interface !== BRIDGE && overlap(subnet, route));
}

/** Fails with `resource_exhausted` where the host's routes leave no private network. */
export function chooseSubnet(routes: readonly HostRoute[]): Subnet {
  for (const subnet of candidates()) if (isFree(subnet, routes)) return subnet;
  throw new GalleyError("resource_exhausted", "the host's routes cover every private network", {
    op: "set up the network",
    subject: BRIDGE,
    hint: "free a /24 of 192.168.0.0/16, or use --network host",
  });
}

/** What the bridge of this host says of itself; undefined where it is missing or somebody else's. */
export function placeOfBridge(): Place | undefined {
  const mac = textOf(`/sys/class/net/${BRIDGE}/address`);
  return mac === undefined ? undefined : placeOfMac(mac.trim());
}

/** The container that an interface was made for, as its alias says. */
export function ownerOf(name: string): string | undefined {
  return textOf(`/sys/class/net/${name}/ifalias`)?.trim();
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
