import type { Database } from "bun:sqlite";
import { type Holder, mayBeAlive, thisProcess } from "../../linux/processes.ts";

/**
 * What a process is doing to a container that others must wait for; `run` is the start of a container made for it alone, `write`
 * a change of the files of one that does not run.
 */
export type OperationKind = "create" | "start" | "run" | "remove" | "write";

/** An operation in the store. */
export interface Operation extends Holder {
  readonly container: string;
  readonly kind: OperationKind;
}

interface Row {
  readonly container: string;
  readonly kind: OperationKind;
  readonly pid: number;
  readonly start_time: string;
  readonly namespace: string;
}

/**
 * One lock for each container, and the store's memory of what was being done. A row says who holds it, by the process's number and
 * start, so that a killed holder is known from a living one: the lock ends with the process, and the row tells what to repair.
 */
export class Operations {
  readonly #givenUp = new Set<string>();

  constructor(readonly database: Database) {}

  of(container: string): Operation | undefined {
    const row = this.database
      .query<Row, [string]>("SELECT * FROM container_operations WHERE container = ?")
      .get(container);
    return row === null ? undefined : operationOf(row);
  }

  all(): readonly Operation[] {
    return this.database.query<Row, []>("SELECT * FROM container_operations").all().map(operationOf);
  }

  /** Inside a transaction, where {@link of} has found nothing. */
  begin(container: string, kind: OperationKind): void {
    const { pid, startTime, namespace } = thisProcess();
    this.database
      .query("INSERT INTO container_operations VALUES (?, ?, ?, ?, ?)")
      .run(container, kind, pid, startTime, namespace);
  }

  /** Takes over from a holder that is gone, if it is still that one. Returns whether it is ours now. */
  takeOver(operation: Operation): boolean {
    const { pid, startTime, namespace } = thisProcess();
    const { changes } = this.database
      .query(
        `UPDATE container_operations SET pid = ?, start_time = ?, namespace = ?
         WHERE container = ? AND pid = ? AND start_time = ?`,
      )
      .run(pid, startTime, namespace, operation.container, operation.pid, operation.startTime);
    return changes > 0;
  }

  /** Remembers, where the store cannot be written, that this process does nothing to the container any more. */
  giveUp(container: string): void {
    this.#givenUp.add(container);
  }

  /** After the transaction that began an operation: what this process gave up before is over, this one is not. */
  begun(container: string): void {
    this.#givenUp.delete(container);
  }

  /** Whether an operation of this process has ended but could not be taken from the store. */
  isGivenUp(operation: Operation): boolean {
    const { pid, startTime } = thisProcess();
    return operation.pid === pid && operation.startTime === startTime && this.#givenUp.has(operation.container);
  }

  /** Leaves an operation to whoever comes next, be it this process where the store cannot be written. */
  abandon(container: string): void {
    this.giveUp(container);
    this.database.query("UPDATE container_operations SET pid = 0, start_time = '' WHERE container = ?").run(container);
  }

  end(container: string): void {
    this.database.query("DELETE FROM container_operations WHERE container = ?").run(container);
  }
}

/** Whether nobody goes on with it. */
export function isAbandoned(operation: Operation): boolean {
  return !mayBeAlive(operation);
}

function operationOf({ container, kind, pid, start_time, namespace }: Row): Operation {
  return { container, kind, pid, startTime: start_time, namespace };
}
