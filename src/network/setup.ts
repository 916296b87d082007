/** Making the host ready: bridge, forwarding, firewall table. Each part is made where it is missing and left where it is there. */
import { readFileSync } from "node:fs";
import { GalleyError } from "../errors.ts";
import { describeErrno, errno } from "../linux/errno.ts";
import { broadcastOf, formatIpv4, subnetOf } from "../linux/ipv4.ts";
import * as link from "../linux/netlink/route.ts";
import { encode } from "../recipe/encode.ts";
import { CWD } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { StepFailure } from "../recipe/report.ts";
import { runRecipe } from "../recipe/run.ts";
import { filterStep, plugIn, routeStep } from "./attachment.ts";
import { dockerCheckMessages, dockerForwardMessages } from "./docker-forward.ts";
import { publishMessages, tableMessages } from "./firewall.ts";
import type { Lease } from "./leases.ts";
import { BRIDGE, bridgeMac, type Place } from "./names.ts";

const O_WRONLY = 1;

/** Runs steps in the host's namespaces; fails with the step that failed. */
export async function runSteps(native: string, steps: readonly Step[]): Promise<void> {
  const failure = await trySteps(native, steps);
  if (failure === undefined) return;
  const { op, cause } = steps[failure.step] ?? { op: "", cause: "" };
  const code = [errno.EPERM, errno.EACCES].some((number) => number === failure.errno)
    ? "permission_denied"
    : "unavailable";
  throw new GalleyError(code, `${op}: ${describeErrno(failure.errno)}`, {
    op: "set up the network",
    subject: cause,
    hint: hintFor(failure.errno),
  });
}

function hintFor(error: number): string {
  if (error === errno.EPERM || error === errno.EACCES) return "run as root";
  if (error === errno.EROFS) return "/proc/sys is read-only here: set net.ipv4.ip_forward=1 on the host";
  return "does the kernel have bridges, veth and nf_tables with NAT? --network host needs none of them";
}

/** Whether all of the steps did. */
export async function succeeds(native: string, steps: readonly Step[]): Promise<boolean> {
  return (await trySteps(native, steps)) === undefined;
}

async function trySteps(native: string, steps: readonly Step[]): Promise<StepFailure | undefined> {
  return (await runRecipe(native, encode({ sections: { outside: steps } }))).failure;
}

/**
 * Makes everything that is missing, and connects containers again: a new bridge has no ports, a flushed table no elements.
 * @param connected leases whose interfaces are there
 */
export async function setUpHost(native: string, place: Place, connected: readonly Lease[]): Promise<void> {
  const steps = [...bridgeSteps(place), ...forwardingSteps(), filterStep("firewall table", tableMessages(place))];
  await runSteps(native, [...steps, ...connected.flatMap(connectAgain)]);
  await passDocker(native);
}

function bridgeSteps(place: Place): Step[] {
  const { gateway, prefix } = place;
  const mac = bridgeMac(place);
  const broadcast = broadcastOf(subnetOf(gateway, prefix));
  return [
    routeStep(`bridge ${BRIDGE}`, (writer) => void link.createBridge(writer, BRIDGE, mac), [errno.EEXIST]),
    routeStep(`${BRIDGE} without IPv6`, (writer) => void link.withoutLinkLocal(writer, BRIDGE), [NO_IPV6]),
    routeStep(`${BRIDGE} up`, (writer) => {
      link.setMac(writer, BRIDGE, mac);
      link.bringUp(writer, BRIDGE);
      return undefined;
    }),
    routeStep(
      `${formatIpv4(gateway)}/${prefix} on ${BRIDGE}`,
      (writer) => ({
        kind: "interfaceIndex",
        offset: link.addAddress(writer, gateway, prefix, broadcast),
        name: BRIDGE,
      }),
      [errno.EEXIST],
    ),
  ];
}
/** EAFNOSUPPORT. */
const NO_IPV6 = 97;

/** Written only where they differ: /proc/sys is read-only in some containers. */
function forwardingSteps(): Step[] {
  return [enable("net/ipv4/ip_forward"), enable(`net/ipv4/conf/${BRIDGE}/route_localnet`)].flat();
}

function enable(name: string): Step[] {
  const path = `/proc/sys/${name}`;
  if (isOn(path)) return [];
  const cause = name.replaceAll("/", ".");
  return [step("write_file", [CWD, path, new TextEncoder().encode("1"), O_WRONLY, 0], { cause })];
}

function isOn(path: string): boolean {
  try {
    return readFileSync(path, "utf8").trim() === "1";
  } catch {
    return false;
  }
}

/** What another container has taken since stays its own. */
function connectAgain(lease: Lease): Step[] {
  const { address, ports } = lease;
  const plug = { ...plugIn(lease), tolerate: [errno.ENODEV] };
  if (ports.length === 0) return [plug];
  return [plug, filterStep("publish again", publishMessages(address, ports), [errno.EEXIST, errno.EBUSY])];
}

/** A host without docker has nothing to pass; a failure here leaves a network that works wherever docker does not interfere. */
async function passDocker(native: string): Promise<void> {
  await trySteps(native, [
    filterStep("docker's firewall is there", dockerCheckMessages()),
    filterStep("pass docker's FORWARD policy", dockerForwardMessages(), [errno.EBUSY]),
  ]);
}
