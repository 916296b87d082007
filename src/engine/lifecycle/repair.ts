import { readdirSync, readFileSync } from "node:fs";
import type { ContainerRecord } from "../records/record.ts";
import { lifeOf } from "../records/view.ts";
import { deleteContainer } from "./delete.ts";
import { cleanUp, cleanUpContainer, lastRecipe } from "./leftovers.ts";
import { endOperation } from "./lock.ts";
import { type Parts, placesIn } from "./parts.ts";

/** Milliseconds between two looks at a native program that is still starting its container. */
const LOOK = 2;

/**
 * Whoever started the container is gone; its native program may not be, and is then left to finish. A start that came to nothing is
 * cleaned up after.
 */
export async function repairStart(parts: Parts, { id }: ContainerRecord): Promise<void> {
  const places = placesIn(parts, id);
  while (!lifeOf(places).attended && isStarting(places.recipe)) await Bun.sleep(LOOK);
  const recipe = lifeOf(places).attended ? undefined : lastRecipe(places);
  if (recipe !== undefined) await cleanUp(parts, recipe);
  endOperation(parts, id);
  if (recipe !== undefined) await (await import("./sweep.ts")).sweepNetworks(parts);
}

/** Whether a native program executes this recipe. */
function isStarting(recipe: string): boolean {
  return readdirSync("/proc").some((name) => /^[0-9]+$/.test(name) && hasArgument(name, recipe));
}

function hasArgument(pid: string, argument: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(argument);
  } catch {
    return false;
  }
}

/** For a removal that was cut off, and for a creation, which is undone. */
export async function repairRemoval(parts: Parts, record: ContainerRecord): Promise<void> {
  await cleanUpContainer(parts, record.id);
  await deleteContainer(parts, record, { volumes: record.made.spec.autoRemove === true || isNew(record) });
}

function isNew({ started }: ContainerRecord): boolean {
  return started === undefined;
}
