import { placesOf } from "../records/places.ts";
import { isActive, lifeOf } from "../records/view.ts";
import type { Parts } from "./parts.ts";

/** IDs of the containers that run, or that somebody is starting. */
function living({ table, operations, paths }: Parts, gone: string | undefined): ReadonlySet<string> {
  const starting = operations.all().flatMap(({ container }) => (container === gone ? [] : container));
  const running = table.all().filter(({ id }) => isActive(lifeOf(placesOf(paths, id))));
  return new Set([...starting, ...running.map(({ id }) => id)]);
}

/**
 * Takes back what ended containers have of the network. Resolves with true, so that callers may try again.
 * @param gone a container that is known not to run, though its lock is held
 */
export async function sweepNetworks(parts: Parts, gone?: string): Promise<true> {
  const networks = await parts.networks();
  await networks.sweep(() => living(parts, gone));
  return true;
}
