import { GalleyError } from "../../errors.ts";
import { type JoinedContainers, joinedNames } from "../bundle/bundle.ts";
import { findRecord } from "../records/find.ts";
import { placesOf } from "../records/places.ts";
import type { ContainerRecord } from "../records/record.ts";
import { lifeOf } from "../records/view.ts";
import type { ContainerSpec } from "../types.ts";
import type { Parts } from "./parts.ts";

/** The running containers whose namespaces a container shares. */
export interface Joined {
  readonly containers: JoinedContainers;
  /** ID of the one whose network it is. */
  readonly networkOwner: string | undefined;
}

/** Finds them. `failed_precondition` where one does not run. */
export function joinedOf({ table, paths }: Parts, spec: ContainerSpec): Joined {
  const names = joinedNames(spec);
  const look = (name: string | undefined) => {
    if (name === undefined) return undefined;
    const record = findRecord(table, name);
    return { record, pid: runningPid(record, paths) };
  };
  const [network, pid, ipc] = [look(names.network), look(names.pid), look(names.ipc)];
  return {
    networkOwner: network?.record.id,
    containers: {
      ...(network === undefined
        ? {}
        : { network: { pid: network.pid, hostname: network.record.started?.hostname ?? "" } }),
      ...(pid === undefined ? {} : { pid: { pid: pid.pid } }),
      ...(ipc === undefined ? {} : { ipc: { pid: ipc.pid, ...sharedMemory(ipc.record, paths) } }),
    },
  };
}

function runningPid(record: ContainerRecord, paths: Parts["paths"]): number {
  const life = lifeOf(placesOf(paths, record.id));
  if (life.state === "running" && life.status !== undefined) return life.status.init.pid;
  throw new GalleyError("failed_precondition", `cannot join namespace of a non running container: ${record.id}`, {
    subject: record.name,
    hint: `galley start ${record.name}`,
  });
}

function sharedMemory({ id, made }: ContainerRecord, paths: Parts["paths"]): { readonly shm?: string } {
  return made.spec.ipcMode === "shareable" ? { shm: placesOf(paths, id).shm } : {};
}
