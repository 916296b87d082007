import { thisProcess } from "../../linux/processes.ts";
import { findRecord } from "../records/find.ts";
import { isAbandoned, type Operation, type OperationKind } from "../records/operations.ts";
import type { ContainerRecord } from "../records/record.ts";
import { change, type Parts } from "./parts.ts";

/** Milliseconds between two looks at a container that somebody else is changing: first, and at most. */
const FIRST_WAIT = 1;
const LONGEST_WAIT = 25;

/**
 * Takes a container's lock and does the first of the work in the same transaction; waits for whoever has it, and repairs what a
 * killed holder left. `work` may decide against the operation, and then nothing is held: it returns `begin: false`.
 */
export async function beginOperation<T>(
  parts: Parts,
  container: string,
  kind: OperationKind,
  work: (record: ContainerRecord) => { readonly begin: boolean; readonly value: T },
): Promise<T> {
  for (let wait = FIRST_WAIT; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
    const attempt = change(parts, () => tryBegin(parts, container, kind, work));
    if (attempt.busy === undefined) {
      parts.operations.begun(attempt.id);
      return attempt.value;
    }
    if (isAbandoned(attempt.busy)) await (await import("./reconcile.ts")).repair(parts, attempt.busy);
    else await Bun.sleep(wait);
  }
}

function tryBegin<T>(
  { table, operations }: Parts,
  container: string,
  kind: OperationKind,
  work: (record: ContainerRecord) => { readonly begin: boolean; readonly value: T },
): { readonly busy: Operation } | { readonly busy: undefined; readonly id: string; readonly value: T } {
  const record = findRecord(table, container);
  const busy = operations.of(record.id);
  if (busy !== undefined && !isKept(busy, kind) && !operations.isGivenUp(busy)) return { busy };
  const { begin, value } = work(record);
  if (busy !== undefined) operations.end(record.id);
  if (begin) operations.begin(record.id, busy !== undefined && kind === "start" ? "run" : kind);
  return { busy: undefined, id: record.id, value };
}

/** A creation that this very process has finished and kept for the start that follows it. */
function isKept(operation: Operation, next: OperationKind): boolean {
  const self = thisProcess();
  const isOurs = operation.pid === self.pid && operation.startTime === self.startTime;
  return isOurs && operation.namespace === self.namespace && operation.kind === "create" && next !== "create";
}

/** Ends a creation that this process has kept for a start; whether there was one. Inside a transaction. */
export function endKept({ operations }: Parts, container: string): boolean {
  const operation = operations.of(container);
  if (operation === undefined || !isKept(operation, "start")) return false;
  operations.end(container);
  return true;
}

/** Gives the lock back, with a last change in the same transaction. Where that fails, it is free for this process at least. */
export function endOperation(parts: Parts, id: string, last: () => void = () => {}): void {
  try {
    change(parts, () => {
      last();
      parts.operations.end(id);
    });
  } catch (failure) {
    parts.operations.giveUp(id);
    throw failure;
  }
}
