import type { PortRequest } from "../types.ts";
import { invalidOption } from "./invalid.ts";

type Protocol = PortRequest["protocol"];

const MAX_PORT = 65535;

/** `80` or `80-90` as first and last; undefined for anything else, descending ranges among it. */
export function parsePortRange(text: string): readonly [first: number, last: number] | undefined {
  const match = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  return last <= MAX_PORT && first <= last ? [first, last] : undefined;
}

/** `80/udp` as port text and protocol, TCP where none is named. Throws `invalid_argument` for an unknown one. */
export function splitProtocol(text: string): readonly [port: string, protocol: Protocol] {
  const at = text.indexOf("/");
  if (at < 0) return [text, "tcp"];
  const name = text.slice(at + 1).toLowerCase();
  if (name === "tcp" || name === "udp" || name === "sctp") return [text.slice(0, at), name];
  throw invalidOption(`Invalid proto: ${text.slice(at + 1)}`, "known are tcp, udp and sctp");
}

/** Reads `--expose` and an image's exposed port: `80/tcp` for each port of `PORT[-PORT][/PROTOCOL]`. */
export function parseExpose(text: string): readonly string[] {
  if (text.includes(":")) throw invalidOption(`invalid port format for --expose: ${text}`);
  const [ports, protocol] = splitProtocol(text);
  const range = parsePortRange(ports);
  if (range === undefined || range[0] === 0) {
    throw invalidOption(
      `invalid range format for --expose: ${text}`,
      "write PORT[-PORT][/PROTOCOL], as in 8000-8010/udp",
    );
  }
  const [first, last] = range;
  return Array.from({ length: last - first + 1 }, (_, offset) => `${first + offset}/${protocol}`);
}
