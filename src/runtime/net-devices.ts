/** linux.netDevices: interfaces of the host that move into the container's network namespace (runtime-spec config-linux.md). */
import { toGalleyError } from "../errors.ts";
import { addressesOf, type LinkAddress, linkIndex } from "../linux/netlink/ask.ts";
import { MessageWriter, netlinkProtocol } from "../linux/netlink/message.ts";
import { bringUp, copyAddress, moveLink } from "../linux/netlink/route.ts";
import type { Fixup } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { LinuxConfig } from "../spec/runtime.ts";

/** What moves an interface, and what gives it back its addresses there. */
export interface NetDeviceSteps {
  /** Outside, once the process is in its network namespace. */
  readonly outside: readonly Step[];
  /** Inside, after those. */
  readonly inside: readonly Step[];
}

const PERMANENT = 0x80;
const UNIVERSE = 0;

/**
 * Compiles the moves. An interface keeps its hardware address, its MTU, and those addresses that are global and permanent; it is up
 * afterwards. Throws `not_found` for one that the host does not have.
 */
export function compileNetDevices({ netDevices = {}, namespaces = [] }: LinuxConfig): NetDeviceSteps {
  const isJoined = (namespaces.find(({ type }) => type === "network")?.path ?? "") !== "";
  const outside: Step[] = [];
  const inside: Step[] = [];
  for (const [name, device] of Object.entries(netDevices)) {
    const cause = `linux.netDevices[${name}]`;
    const index = indexOf(name, cause);
    const target = device.name || name;
    outside.push(move(index, target, isJoined, cause));
    for (const address of addressesOf(index).filter(isKept)) inside.push(give(address, target, cause));
    inside.push(raise(target, cause));
  }
  return { outside, inside };
}

function indexOf(name: string, subject: string): number {
  try {
    return linkIndex(name);
  } catch (failure) {
    throw toGalleyError(failure, { subject, hint: `the host has no network interface ${name}` });
  }
}

function isKept({ flags, scope }: LinkAddress): boolean {
  return (flags & PERMANENT) !== 0 && scope === UNIVERSE;
}

function move(index: number, target: string, isJoined: boolean, cause: string): Step {
  const writer = new MessageWriter();
  const offset = moveLink(writer, index, target, isJoined ? "fd" : "pid");
  return send(writer, isJoined ? { kind: "slot", offset, slot: "namespace.network" } : { kind: "pid", offset }, cause);
}

function give(address: LinkAddress, name: string, cause: string): Step {
  const writer = new MessageWriter();
  const offset = copyAddress(writer, address);
  return send(writer, { kind: "interfaceIndex", offset, name }, cause);
}

function raise(name: string, cause: string): Step {
  const writer = new MessageWriter();
  bringUp(writer, name);
  return send(writer, { kind: "none" }, cause);
}

function send(writer: MessageWriter, fixup: Fixup, cause: string): Step {
  return step("netlink", [netlinkProtocol.route, writer.finish(), fixup], { cause });
}
