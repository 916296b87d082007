/** What a failed step of an attachment means. */
import { GalleyError } from "../errors.ts";
import { describeErrno, errno } from "../linux/errno.ts";
import { formatIpv4 } from "../linux/ipv4.ts";
import { netlinkProtocol } from "../linux/netlink/message.ts";
import type { OpName } from "../recipe/ops.ts";
import type { Step } from "../recipe/recipe.ts";
import { portTaken } from "./ports.ts";
import type { FailedStep, PublishedPort } from "./types.ts";

/** Whether bridge or table is missing: {@link Networks.setup} with `heal`, then another attempt, helps. */
export function isMissingNetwork({ op, errno: error }: { readonly op: OpName; readonly errno: number }): boolean {
  return op === "netlink" && (error === errno.ENODEV || error === errno.ENOENT);
}

/** Whether somebody else on the host has the address or, in the firewall alone, a port. */
export function isTakenElsewhere({ step, errno: error }: FailedStep): "address" | "port" | undefined {
  if (step.op !== "netlink" || (error !== errno.EEXIST && error !== errno.EBUSY)) return undefined;
  return step.args[0] === netlinkProtocol.netfilter ? "port" : "address";
}

/** The port that a `reserve_port` step asks for; undefined for other steps. */
export function reservedPort({ op, args: [type, address] }: Step): PublishedPort | undefined {
  if (op !== "reserve_port" || !(address instanceof Uint8Array)) return undefined;
  const view = new DataView(address.buffer, address.byteOffset, address.byteLength);
  const hostAddress = formatIpv4(view.getUint32(4));
  return { protocol: type === 2 ? "udp" : "tcp", hostAddress, hostPort: view.getUint16(2), containerPort: 0 };
}

/**
 * A failed step of an attachment in docker's words; undefined for a step of another tier.
 * @param endpoint how docker names it: `NAME (ID)`
 */
export function describeFailure({ step, errno: error }: FailedStep, endpoint: string): GalleyError | undefined {
  const port = reservedPort(step);
  if (port !== undefined) return portFailure(port, error, endpoint);
  if (step.op !== "netlink") return undefined;
  if (isTakenElsewhere({ step, errno: error }) === "address") {
    const hint = "a container of another store has it, or the end of this one is not over";
    return new GalleyError("already_exists", "Address already in use", { op: step.cause, hint });
  }
  return new GalleyError("unavailable", describeErrno(error), {
    op: `driver failed programming external connectivity on endpoint ${endpoint}`,
    subject: step.cause,
    hint: "--network none or host does without",
  });
}

function portFailure(port: PublishedPort, error: number, endpoint: string): GalleyError {
  if (error === errno.EADDRINUSE) return portTaken(endpoint, port, "another program of the host uses it");
  const where = `${port.hostAddress}:${port.hostPort}/${port.protocol}`;
  const hint =
    error === errno.EADDRNOTAVAIL ? `${port.hostAddress} is not an address of this host` : "is the port reserved?";
  return new GalleyError(
    error === errno.EADDRNOTAVAIL ? "invalid_argument" : "unavailable",
    `driver failed programming external connectivity on endpoint ${endpoint}: failed to bind host port ${where}`,
    { cause: describeErrno(error), hint },
  );
}
