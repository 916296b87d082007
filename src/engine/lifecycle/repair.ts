import { readdirSync, readFileSync } from "node:fs";
import type { ContainerRecord } from "../records/record.ts";
import { lifeOf } from "../records/view.ts";
import { deleteContainer } from "./delete.ts";
import { cleanUp, cleanUpContainer, lastRecipe } from "./leftovers.ts";
import { endOperation } from "./lock.ts";
import { type Parts, placesIn } from "./parts.ts";
import { sweepNetworks } from "./sweep.ts";

/** Milliseconds between two looks at a native program that is still starting its container. */
const LOOK = 2;

/**
 * Whoever started the container is gone; its native program may not be, and is then left to finish. A start that came to nothing is
 * cleaned up after, and the container goes if it was made for this start, or is to go with its end.
 */
export async function repairStart(parts: Parts, record: ContainerRecord, kind: "start" | "run"): Promise<void> {
  const { id, made } = record;
  const places = placesIn(parts, id);
  while (!lifeOf(places).attended && isStarting(places.recipe)) await Bun.sleep(LOOK);
  if (lifeOf(places).attended) return endOperation(parts, id);
  const recipe = lastRecipe(places);
  if (recipe !== undefined) await cleanUp(parts, recipe);
  await sweepNetworks(parts, id);
  if (lifeOf(places).state === "created" && (kind === "run" || made.spec.autoRemove === true)) {
    return deleteContainer(parts, record, { volumes: true });
  }
  endOperation(parts, id);
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

/** For a removal that was cut off, be it before the container was killed; and for a creation, which is undone. */
export async function repairRemoval(parts: Parts, record: ContainerRecord): Promise<void> {
  await (await import("./remove.ts")).endProcesses(parts, record);
  await cleanUpContainer(parts, record.id);
  await deleteContainer(parts, record, { volumes: record.made.spec.autoRemove === true || isNew(record) });
}

function isNew({ started }: ContainerRecord): boolean {
  return started === undefined;
}
