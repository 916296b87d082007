import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ContainerRecord } from "../records/record.ts";
import { isOnBridge } from "./network.ts";
import { change, type Parts, placesIn } from "./parts.ts";

/**
 * Deletes everything of a container that does not run, the record last. The container's lock is held, and ends with it. Doing it
 * again after a kill is what completes it.
 * @param volumes its anonymous volumes go too
 */
export async function deleteContainer(
  parts: Parts,
  record: ContainerRecord,
  { volumes }: { readonly volumes: boolean },
): Promise<void> {
  deleteFiles(parts, record.id);
  await forget(parts, record, { volumes });
}

/** The record, the lease and, with `volumes`, the anonymous volumes of a container whose files are gone. */
export async function forget(
  parts: Parts,
  record: ContainerRecord,
  { volumes }: { readonly volumes: boolean },
): Promise<void> {
  const { id, made } = record;
  const networks = isOnBridge(made.spec) ? await parts.networks() : undefined;
  change(parts, () => {
    networks?.release(id);
    parts.table.delete(id);
    parts.operations.end(id);
  });
  const names = volumes ? made.resolved.volumes.flatMap(({ name }) => name ?? []) : [];
  if (names.length > 0) await (await parts.volumes()).removeAnonymous(names);
}

function deleteFiles(parts: Parts, id: string): void {
  const { directory, gone, socket, shm } = placesIn(parts, id);
  if (existsSync(directory)) renameSync(directory, gone);
  rmSync(gone, { recursive: true, force: true });
  rmSync(shm, { recursive: true, force: true });
  rmSync(socket, { force: true });
  for (const name of execFiles(parts, id)) rmSync(join(parts.paths.live, name), { force: true });
}

/** What killed execs have left. */
function execFiles({ paths }: Parts, id: string): readonly string[] {
  try {
    return readdirSync(paths.live).filter((name) => name.startsWith(`${id}.`));
  } catch {
    return [];
  }
}
