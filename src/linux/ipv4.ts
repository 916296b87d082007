/** IPv4 addresses as text, and as unsigned 32-bit numbers in which they are counted and kept. */

/** `10.0.0.1` as a number; undefined for anything but four decimal numbers below 256. */
export function parseIpv4(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** A number as `10.0.0.1`. */
export function formatIpv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** Four bytes in network order. */
export function ipv4Bytes(address: number): Uint8Array {
  return Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address);
}

/** An IPv4 network; `address` has no bit below the prefix. */
export interface Subnet {
  readonly address: number;
  readonly prefix: number;
}

/** The network mask: 0xffff0000 for 16. */
export function mask(prefix: number): number {
  return prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;
}

/** The network that an address with a prefix is in. */
export function subnetOf(address: number, prefix: number): Subnet {
  return { address: (address & mask(prefix)) >>> 0, prefix };
}

/** Whether the address lies in the network. */
export function contains(subnet: Subnet, address: number): boolean {
  return subnetOf(address, subnet.prefix).address === subnet.address;
}

/** Whether two networks share an address. */
export function overlap(one: Subnet, other: Subnet): boolean {
  return one.prefix <= other.prefix ? contains(one, other.address) : contains(other, one.address);
}

/** The last address of a network. */
export function broadcastOf(subnet: Subnet): number {
  return (subnet.address | ~mask(subnet.prefix)) >>> 0;
}

/** `10.0.0.0/8`. */
export function formatSubnet(subnet: Subnet): string {
  return `${formatIpv4(subnet.address)}/${subnet.prefix}`;
}

/** A network from `10.0.0.0/8`; undefined for anything else, also where a bit below the prefix is set. */
export function parseSubnet(text: string): Subnet | undefined {
  const [, words, digits] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? [];
  const address = parseIpv4(words ?? "");
  const prefix = Number(digits);
  if (address === undefined || prefix > 32 || subnetOf(address, prefix).address !== address) return undefined;
  return { address, prefix };
}
