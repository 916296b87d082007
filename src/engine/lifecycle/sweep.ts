import { placesOf } from "../records/places.ts";
import { isActive, lifeOf } from "../records/view.ts";
import type { Parts } from "./parts.ts";

/** IDs of the containers that run, or that somebody is starting. */
function living({ table, operations, paths }: Parts): ReadonlySet<string> {
  const starting = operations.all().map(({ container }) => container);
  const running = table.all().filter(({ id }) => isActive(lifeOf(placesOf(paths, id))));
  return new Set([...starting, ...running.map(({ id }) => id)]);
}

/** Takes back what ended containers have of the network. Resolves with true, so that callers may try again. */
export async function sweepNetworks(parts: Parts): Promise<true> {
  const networks = await parts.networks();
  await networks.sweep(() => living(parts));
  return true;
}
