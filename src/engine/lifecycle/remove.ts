import { rmSync } from "node:fs";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { isAlive } from "../../linux/processes.ts";
import { findRecord } from "../records/find.ts";
import type { ContainerRecord } from "../records/record.ts";
import { lifeOf } from "../records/view.ts";
import { deleteContainer } from "./delete.ts";
import { cleanUpContainer } from "./leftovers.ts";
import { beginOperation, endOperation } from "./lock.ts";
import { type Parts, placesIn } from "./parts.ts";
import { reconcile } from "./reconcile.ts";

export interface RemoveOptions {
  /** Kill it first, if it runs. */
  readonly force?: boolean;
  /** Its anonymous volumes go too. */
  readonly volumes?: boolean;
}

/** Removes a container; `failed_precondition` where it runs and `force` is not given. */
export async function removeContainer(parts: Parts, container: string, options: RemoveOptions = {}): Promise<void> {
  await reconcile(parts);
  const record = await begin(parts, container, options).catch(async (failure) => {
    if (toGalleyError(failure).code !== "resource_exhausted") throw failure;
    await makeRoom(parts, container, options);
    return begin(parts, container, options);
  });
  try {
    await endProcesses(parts, record);
    await cleanUpContainer(parts, record.id);
  } catch (failure) {
    endOperation(parts, record.id);
    throw failure;
  }
  await deleteContainer(parts, record, { volumes: options.volumes === true }).catch((failure) => {
    // Some of it may be gone already: the next command goes on.
    parts.operations.abandon(record.id);
    throw toGalleyError(failure, { op: "remove", subject: record.name });
  });
  await dropHiddenImage(parts, record.imageId);
}

function begin(parts: Parts, container: string, options: RemoveOptions): Promise<ContainerRecord> {
  return beginOperation(parts, container, "remove", (found) => {
    if (options.force !== true) refuseActive(parts, found);
    return { begin: true, value: found };
  });
}

/** On a full disk not even the removal can be noted down, before what the container wrote is gone. Nor can it be started meanwhile. */
async function makeRoom(parts: Parts, container: string, { force }: RemoveOptions): Promise<void> {
  const record = findRecord(parts.table, container);
  if (force !== true) refuseActive(parts, record);
  await endProcesses(parts, record);
  const { upper, log } = placesIn(parts, record.id);
  for (const path of [upper, log]) rmSync(path, { recursive: true, force: true });
}

function refuseActive(parts: Parts, { id, name }: ContainerRecord): void {
  const { state } = lifeOf(placesIn(parts, id));
  if (state === "created" || state === "exited") return;
  const what = state === "paused" ? "must be unpaused and stopped first" : `is ${state}`;
  throw new GalleyError("failed_precondition", `cannot remove container "/${name}": container ${what}`, {
    hint: "stop the container before removing or force remove: -f",
  });
}

/** Kills what runs. Also waits for a shim that is about to end by itself: it is cleaning up. */
export async function endProcesses(parts: Parts, { id }: ContainerRecord): Promise<void> {
  const life = lifeOf(placesIn(parts, id));
  if (life.status === undefined) return;
  if (life.state === "exited" && !isAlive(life.status.shim)) return;
  const { killAndWait } = await import("./stop.ts");
  await killAndWait(parts, id);
}

/** An image that was removed under the container goes with it. */
async function dropHiddenImage({ images, table }: Parts, imageId: string): Promise<void> {
  if (table.usersOf(imageId).length > 0 || images.find(imageId) !== undefined) return;
  await images.collect();
}
