import { existsSync } from "node:fs";
import { isAlive } from "../../linux/processes.ts";
import { isAbandoned, type Operation } from "../records/operations.ts";
import { lifeOf } from "../records/view.ts";
import { endOperation } from "./lock.ts";
import { change, type Parts, placesIn } from "./parts.ts";

/**
 * Repairs what killed processes have left: operations that nobody goes on with, and records of `--rm` containers that are gone. Two
 * small queries where there is nothing to do. A repair that fails is left to the next command: it is no business of this one.
 */
export async function reconcile(parts: Parts): Promise<void> {
  const operations = parts.operations.all();
  for (const operation of operations) if (isAbandoned(operation)) await repair(parts, operation).catch(() => {});
  const busy = new Set(operations.map(({ container }) => container));
  for (const id of parts.table.idsToRemove()) {
    if (!busy.has(id) && hasEnded(parts, id)) await reap(parts, id).catch(() => {});
  }
}

/** A `--rm` container that has run and will not run again, whose shim has done what it does. */
function hasEnded(parts: Parts, id: string): boolean {
  const places = placesIn(parts, id);
  if (!existsSync(places.directory)) return true;
  const { state, status } = lifeOf(places);
  return state === "exited" && status !== undefined && !isAlive(status.shim);
}

/** Removes what is left of such a container. */
export async function reap(parts: Parts, id: string): Promise<void> {
  const begun = change(parts, () => {
    const record = parts.table.byId(id);
    if (record === undefined || parts.operations.of(id) !== undefined || !hasEnded(parts, id)) return undefined;
    if (existsSync(placesIn(parts, id).directory)) parts.operations.begin(id, "remove");
    return record;
  });
  if (begun === undefined) return;
  parts.operations.begun(id);
  const { deleteContainer, forget } = await import("./delete.ts");
  if (!existsSync(placesIn(parts, id).directory)) return forget(parts, begun, { volumes: true });
  await orAbandon(parts, id, async () => {
    await (await import("./leftovers.ts")).cleanUpContainer(parts, id);
    await deleteContainer(parts, begun, { volumes: true });
  });
}

async function orAbandon(parts: Parts, id: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (failure) {
    parts.operations.abandon(id);
    throw failure;
  }
}

/** Ends an operation whose holder is gone, unless somebody else does: undoes a creation, settles a start, completes a removal. */
export async function repair(parts: Parts, operation: Operation): Promise<void> {
  const record = change(parts, () =>
    parts.operations.takeOver(operation) ? parts.table.byId(operation.container) : undefined,
  );
  if (record === undefined) return change(parts, () => forgetOrphan(parts, operation));
  const { kind } = operation;
  // What was being written with went with its process.
  if (kind === "write") return endOperation(parts, record.id);
  const { repairStart, repairRemoval } = await import("./repair.ts");
  const isStart = kind === "start" || kind === "run";
  await orAbandon(parts, record.id, () => (isStart ? repairStart(parts, record, kind) : repairRemoval(parts, record)));
}

/** An operation without a container is nobody's. */
function forgetOrphan({ table, operations }: Parts, { container }: Operation): void {
  if (table.byId(container) === undefined) operations.end(container);
}
