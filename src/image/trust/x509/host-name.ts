import { isIP } from "node:net";
import type { Names } from "./names.ts";

/** Whether a certificate is one of a host, by name or address (RFC 6125, as Go's `VerifyHostname`): the subject's common name counts for nothing. */
export function isNamed({ hosts, addresses }: Names, host: string): boolean {
  const address = addressOf(host.replace(/^\[(.+)\]$/, "$1"));
  if (address !== undefined) return addresses.some((one) => one.equals(address));
  const wanted = lower(host);
  return hosts.some((name) =>
    isHostName(wanted.replace(/\.$/, "")) && isHostName(name.replace(/^\*\./, ""))
      ? fits(lower(name), wanted.replace(/\.$/, ""))
      : name !== "" && name !== "." && lower(name) === wanted,
  );
}

function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function isHostName(text: string): boolean {
  return text.split(".").every((label) => /^[A-Za-z0-9_][A-Za-z0-9_-]*$/.test(label));
}

/** `*` stands for one whole label, the first. */
function fits(pattern: string, host: string): boolean {
  const [first, ...rest] = host.split(".");
  if (!pattern.startsWith("*.")) return pattern === host;
  return first !== undefined && pattern.slice(2) === rest.join(".");
}

/** Four or sixteen bytes of an address; `undefined` for what is none. */
function addressOf(text: string): Buffer | undefined {
  const kind = text.includes("%") ? 0 : isIP(text);
  if (kind === 4) return Buffer.from(text.split(".").map(Number));
  if (kind !== 6) return undefined;
  // The parser of URLs writes each address in one way: groups of hexadecimal digits, and `::` once.
  const [head = "", tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":"));
  const [before, after] = [groups(head), groups(tail ?? "")];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  const whole = [...before, ...(tail === undefined ? [] : zeros), ...after];
  return unmapped(Buffer.from(whole.map((group) => group.padStart(4, "0")).join(""), "hex"));
}

/** The IPv4 address that an IPv6 one stands for: certificates name that. */
function unmapped(address: Buffer): Buffer {
  return address.toString("hex").startsWith("00000000000000000000ffff") ? address.subarray(12) : address;
}
