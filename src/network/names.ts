/** What Galley's things on the host are called. The kernel's names are the only lock between stores that share a host. */
import { formatIpv4, parseIpv4 } from "../linux/ipv4.ts";

export const BRIDGE = "galley0";
export const TABLE = "galley";
/** The interface in a container. */
export const CONTAINER_INTERFACE = "eth0";

/** The gateway's address and the network around it. */
export interface Place {
  readonly gateway: number;
  readonly prefix: number;
}

/** The host's end of a container's veth is called by its address: two stores cannot both use one. */
export function portName(address: number): string {
  return `gly${address.toString(16).padStart(8, "0")}`;
}

const hex = (byte: number): string => byte.toString(16).padStart(2, "0");

function macOf(first: string, address: number): string {
  return `${first}:${formatIpv4(address)
    .split(".")
    .map((byte) => hex(Number(byte)))
    .join(":")}`;
}

/** A container's address has one MAC address, so that nobody's cache is wrong when the address is used again. */
export function containerMac(address: number): string {
  return macOf("02:42", address);
}

export function portMac(address: number): string {
  return macOf("06:42", address);
}

/** The bridge's MAC address tells prefix and gateway, so that one small file of sysfs tells where containers are. */
export function bridgeMac({ gateway, prefix }: Place): string {
  return macOf(`02:${hex(prefix)}`, gateway);
}

/** The other way round; undefined for a bridge that Galley has not set up. */
export function placeOfMac(mac: string): Place | undefined {
  const bytes = mac.split(":").map((part) => Number.parseInt(part, 16));
  const gateway = parseIpv4(bytes.slice(2).join("."));
  const prefix = bytes[1] ?? 0;
  if (bytes[0] !== 2 || gateway === undefined || prefix < 8 || prefix > 29) return undefined;
  return { gateway, prefix };
}
