import type { PortRequest } from "../types.ts";
import { splitCsv } from "./csv.ts";
import { invalidOption } from "./invalid.ts";
import { parsePortRange, splitProtocol } from "./ports.ts";

/**
 * Reads `-p`: `[[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]` where both ports may be ranges of the same length, and an IPv6 address stands
 * in brackets; or `target=80,published=8080,protocol=tcp`. No host port, or 0, is for the engine to choose. One request for each port.
 * Throws `invalid_argument` in docker's words.
 */
export function parsePublish(text: string): readonly PortRequest[] {
  const { address, host, container } = splitParts(text.includes("=") ? shortForm(text) : text);
  const [port, protocol] = splitProtocol(container);
  if (port === "") throw invalidOption(`No port specified: ${text}<empty>`);
  const hostAddress = parseAddress(address);
  const containerPorts = parsePortRange(port);
  if (containerPorts === undefined || containerPorts[0] === 0) throw invalidOption(`Invalid containerPort: ${port}`);
  const hostPorts = hostRange(host, port, containerPorts);
  return Array.from({ length: containerPorts[1] - containerPorts[0] + 1 }, (_, offset) => ({
    containerPort: containerPorts[0] + offset,
    protocol,
    ...(hostAddress === undefined ? {} : { hostAddress }),
    ...(hostPorts === undefined ? {} : { hostPort: hostPorts[0] === 0 ? 0 : hostPorts[0] + offset }),
  }));
}

/** The last colon is before the container's port, the one before it before the host's; all else is the address. */
function splitParts(text: string): { readonly address: string; readonly host: string; readonly container: string } {
  const parts = text.split(":");
  const container = parts.pop() ?? "";
  const host = parts.pop() ?? "";
  return { address: parts.join(":"), host, container };
}

const longKeys = ["target", "published", "protocol", "mode"];

function shortForm(text: string): string {
  const fields: Record<string, string> = { published: "", target: "", protocol: "tcp" };
  for (const field of splitCsv(text)) {
    const [key = "", value] = field.split(/=(.*)/s);
    if (value === undefined) {
      throw invalidOption(`invalid publish opts format (should be name=value but got '${field}')`);
    }
    if (!longKeys.includes(key))
      throw invalidOption(`invalid publish option '${key}'`, `known are ${longKeys.join(", ")}`);
    fields[key] = value;
  }
  return `${fields.published}:${fields.target}/${fields.protocol}`;
}

function parseAddress(text: string): string | undefined {
  if (text === "") return undefined;
  const address = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  const version = process.getBuiltinModule("node:net").isIP(address);
  if (version === 0) throw invalidOption(`Invalid ip address: ${text}`);
  if (version === 6 && address === text) {
    throw invalidOption(`Invalid ip address ${text}: too many colons in address`, `put it in brackets: [${text}]`);
  }
  return address;
}

type Range = readonly [first: number, last: number];

function hostRange(text: string, container: string, ports: Range): Range | undefined {
  if (text === "") return undefined;
  const range = parsePortRange(text);
  if (range === undefined) throw invalidOption(`Invalid hostPort: ${text}`);
  const [first, last] = range;
  if (first === 0 && last === 0) return range;
  if (last - first === ports[1] - ports[0]) return range;
  if (ports[0] === ports[1]) {
    throw invalidOption(
      `a range of host ports (${text}) for one container port (${container}) is not supported`,
      "give one host port, or none to have one chosen",
    );
  }
  throw invalidOption(`Invalid ranges specified for container and host Ports: ${container} and ${text}`);
}
