/** What is wrong with a specification can be said before anything is made of it. */
import { GalleyError } from "../../errors.ts";
import type { ContainerSpec } from "../types.ts";
import { parseDeviceRule } from "./devices.ts";
import { type NamespaceModes, namespaceModes } from "./modes.ts";
import { capabilitiesOf, securityOptions } from "./security.ts";
import { checkSysctls } from "./sysctls.ts";

/** A specification that can be had, and what of it cannot. */
export interface CheckedSpec {
  readonly spec: ContainerSpec;
  readonly warnings: readonly string[];
}

/**
 * Checks all that needs no image: modes and what contradicts them, limits, capabilities, security options, sysctls. The result has
 * docker's defaults of limits filled in, and lacks what the kernel cannot do. Throws `invalid_argument` in docker's words.
 */
export async function checkSpec(spec: ContainerSpec): Promise<CheckedSpec> {
  const modes = namespaceModes(spec);
  const warnings = checkConflicts(spec, modes);
  checkNames(spec);
  checkSysctls(spec, modes);
  securityOptions(spec.securityOpt);
  if (spec.capAdd !== undefined || spec.capDrop !== undefined) capabilitiesOf(spec);
  refuseSubpaths(spec);
  for (const rule of spec.deviceCgroupRules ?? []) parseDeviceRule(rule);
  const adjust = spec.oomScoreAdj ?? 0;
  if (adjust < -1000 || adjust > 1000)
    throw invalid(`Invalid value ${adjust}, range for oom score adj is [-1000, 1000]`);
  if (spec.resources === undefined) return { spec, warnings };
  const [{ checkResources }, { limitFacts }] = await Promise.all([
    import("./check-resources.ts"),
    import("./limit-facts.ts"),
  ]);
  const checked = checkResources(spec.resources, limitFacts());
  return { spec: { ...spec, resources: checked.resources }, warnings: [...warnings, ...checked.warnings] };
}

function checkConflicts(spec: ContainerSpec, { network, uts }: NamespaceModes): readonly string[] {
  const conflict = (what: string, mode = "the network mode"): GalleyError =>
    invalid(`conflicting options: ${what} and ${mode}`);
  if (uts.kind === "host" && spec.hostname) throw conflict("hostname", "the UTS mode");
  if (uts.kind === "host" && spec.domainname) throw conflict("domainname", "the UTS mode");
  const published = (spec.ports ?? []).length > 0 || spec.publishAll === true;
  if (network.kind === "container") {
    if (spec.hostname) throw conflict("hostname");
    if ((spec.dns ?? spec.dnsSearch ?? spec.dnsOptions) !== undefined) throw conflict("dns");
    if ((spec.extraHosts ?? []).length > 0) throw conflict("custom host-to-IP mapping");
    if (spec.macAddress) throw conflict("mac-address");
    if (published) throw conflict("port publishing", "the container type network mode");
    if ((spec.exposed ?? []).length > 0) throw conflict("port exposing", "the container type network mode");
  }
  const isBridge = spec.network === undefined || spec.network === "bridge" || spec.network === "default";
  if (spec.address && !isBridge) throw conflict("a static address");
  if (network.kind === "host" && published) return ["Published ports are discarded when using host network mode"];
  return [];
}

/**
 * What is below a volume's top is its containers' to change: a link that one of them puts in the way of a path would lead the bind of
 * another out to the host, at every start anew.
 */
function refuseSubpaths({ mounts = [] }: ContainerSpec): void {
  const found = mounts.find(({ subpath }) => subpath);
  if (found === undefined) return;
  throw new GalleyError("unimplemented", "volume-subpath is not supported yet", {
    subject: found.target,
    hint: "mount the whole volume, or a volume of its own for each part",
  });
}

/** sethostname(2) takes 64 bytes; a label of DNS has 63. */
const MAX_HOSTNAME = 64;

function checkNames({ hostname = "", domainname = "" }: ContainerSpec): void {
  for (const [word, text] of [["hostname", hostname] as const, ["domainname", domainname] as const]) {
    if (text === "") continue;
    if (Buffer.byteLength(text) > MAX_HOSTNAME)
      throw invalid(`the ${word} is longer than ${MAX_HOSTNAME} bytes: ${text}`);
    if (/[\s/\0]/.test(text)) throw invalid(`invalid ${word}: ${JSON.stringify(text)}`);
  }
}

function invalid(message: string): GalleyError {
  return new GalleyError("invalid_argument", message);
}
