import { readFileSync, writeFileSync } from "node:fs";
import { extraHosts, hostnameFile, hostsFile, resolvConf, resolverFiles, servesItself } from "../../network/files.ts";
import { hostnameOf, type JoinedContainers, type NetworkFiles, namespaceModes } from "../bundle/bundle.ts";
import { placesOf } from "../records/places.ts";
import type { ContainerRecord } from "../records/record.ts";
import type { NetworkFacts } from "../types.ts";
import { type Parts, placesIn } from "./parts.ts";

/**
 * Writes the files that tell a container who and where it is; gives their paths. A container in another's network has the other's.
 * @param owner ID of that other container
 */
export async function writeNetworkFiles(
  parts: Parts,
  { id, made: { spec } }: ContainerRecord,
  facts: NetworkFacts,
  joined: JoinedContainers,
  owner: string | undefined,
): Promise<NetworkFiles> {
  if (owner !== undefined) return pathsOf(placesOf(parts.paths, owner));
  const places = placesIn(parts, id);
  const shared = namespaceModes(spec).network.kind === "host";
  const hostname = hostnameOf(id, spec, joined);
  const extra = spec.extraHosts ?? [];
  const gateway = extra.some((entry) => entry.endsWith("host-gateway")) ? (await parts.networks()).gateway() : "";
  const addresses = facts.address === undefined ? [] : [facts.address];
  const { domainname } = spec;
  const hosts = shared
    ? read("/etc/hosts") + extraHosts(extra, gateway)
    : hostsFile({ hostname, addresses, extra, gateway, ...(domainname === undefined ? {} : { domainname }) });
  const dns = {
    ...(spec.dns === undefined ? {} : { servers: spec.dns }),
    ...(spec.dnsSearch === undefined ? {} : { search: spec.dnsSearch }),
    ...(spec.dnsOptions === undefined ? {} : { options: spec.dnsOptions }),
  };
  writeFileSync(places.hosts, hosts, { mode: 0o644 });
  writeFileSync(places.hostname, hostnameFile(hostname), { mode: 0o644 });
  writeFileSync(places.resolvConf, resolvConf(hostResolver(shared), dns, shared), { mode: 0o644 });
  return pathsOf(places);
}

function pathsOf({ hosts, hostname, resolvConf: resolver }: Required<NetworkFiles>): NetworkFiles {
  return { hosts, hostname, resolvConf: resolver };
}

/** The paths alone, as for `--plan`. */
export function networkFilePaths(parts: Parts, id: string): NetworkFiles {
  return pathsOf(placesIn(parts, id));
}

/** Where the host asks a server on its own loopback, which a container cannot reach, that server's file has the real ones. */
function hostResolver(shared: boolean): string {
  const [usual, behind] = resolverFiles;
  const text = read(usual);
  return !shared && servesItself(text) ? read(behind) || text : text;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
