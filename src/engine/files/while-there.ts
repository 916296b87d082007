import type { Parts } from "../lifecycle/parts.ts";
import { noSuchContainer } from "../records/find.ts";
import type { ContainerRecord } from "../records/record.ts";

/**
 * Reads a container's files, which somebody else may remove meanwhile: what was read then may lack any part of them, and its end, or
 * whatever failed, is that there is no such container any more.
 */
export async function* whileThere(
  { table, operations }: Parts,
  { id, name }: ContainerRecord,
  read: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const throwIfGone = () => {
    if (table.byId(id) === undefined || operations.of(id)?.kind === "remove") throw noSuchContainer(name);
  };
  try {
    yield* read;
  } catch (failure) {
    throwIfGone();
    throw failure;
  }
  throwIfGone();
}
