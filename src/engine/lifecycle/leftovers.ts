import { readFileSync } from "node:fs";
import { decode } from "../../recipe/decode.ts";
import { encode } from "../../recipe/encode.ts";
import { NONE, verifyKind } from "../../recipe/ops.ts";
import { type Recipe, step } from "../../recipe/recipe.ts";
import { runRecipe } from "../../recipe/run.ts";
import type { ContainerPlaces } from "../records/places.ts";
import { hasLeftovers, lifeOf } from "../records/view.ts";
import { type Parts, placesIn } from "./parts.ts";
import { sweepNetworks } from "./sweep.ts";

/**
 * The recipe of the last start; undefined where there is none, none that this version reads, or one that its writer was killed over,
 * which nobody has executed.
 */
export function lastRecipe({ recipe }: ContainerPlaces): Recipe | undefined {
  try {
    return decode(readFileSync(recipe));
  } catch {
    return undefined;
  }
}

/**
 * Does what a killed shim had still to do: the clean-up of its own recipe. The network is left to the sweep, which knows whose an
 * address is now.
 */
export async function cleanUp(parts: Parts, { sections: { cleanup = [] } }: Recipe): Promise<void> {
  const steps = cleanup.filter(({ op }) => op !== "netlink");
  // Steps of a clean-up are each tried whatever became of the one before: it is run as that of a recipe that fails.
  const fail = step("verify", [NONE, verifyKind.devNull], { cause: "clean up after a killed shim" });
  await runRecipe(parts.native, encode({ sections: { outside: [fail], cleanup: steps } }));
}

/** Lets a frozen container go on whose shim cannot do it any more. */
export async function thaw(parts: Parts, id: string): Promise<void> {
  const resume = lastRecipe(placesIn(parts, id))?.sections.resume;
  if (resume !== undefined) await runRecipe(parts.native, encode({ sections: { outside: resume } }));
}

/** {@link cleanUp} for a container, if there is anything to do. The container's lock is held. */
export async function cleanUpContainer(parts: Parts, id: string): Promise<void> {
  const places = placesIn(parts, id);
  if (!hasLeftovers(places, lifeOf(places))) return;
  const recipe = lastRecipe(places);
  if (recipe !== undefined) await cleanUp(parts, recipe);
  await sweepNetworks(parts, id);
}
