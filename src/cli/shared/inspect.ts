import { GalleyError, toGalleyError } from "../../errors.ts";
import type { Cli, CliEngine } from "../cli.ts";
import { inspectRenderer } from "../format/inspect-render.ts";
import { reportOne } from "../report.ts";

/** Finds an object's document by name; `not_found` where there is none. */
export type Lookup = (name: string) => Promise<Record<string, unknown>>;

/** Prints the documents of several objects. What is not found, or not fit for the template, is reported and makes the status 1. */
export async function inspectAll(cli: Cli, names: readonly string[], format: string, lookup: Lookup): Promise<number> {
  const renderer = inspectRenderer(format);
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      renderer.add(await lookup(name));
    } catch (failure) {
      failures.push(failure);
    }
  }
  cli.out(renderer.text());
  for (const failure of failures) reportOne(cli, failure);
  return failures.length > 0 ? 1 : 0;
}

/** The kinds of objects in the order in which a name is looked for among them. */
export const objectTypes = ["container", "image", "volume"] as const;
export type ObjectType = (typeof objectTypes)[number];

/** Looks a name up among containers, images and volumes, or among one kind alone. */
export function objectLookup(engine: CliEngine, type: ObjectType | undefined, size: boolean): Lookup {
  const lookups: Readonly<Record<ObjectType, Lookup>> = {
    container: (name) => engine.containers.inspect(name, { size }),
    image: async (name) => engine.images.inspect(name),
    volume: async (name) => engine.volumes.inspect(name),
  };
  if (type !== undefined) return lookups[type];
  return async (name) => {
    for (const one of objectTypes) {
      try {
        return await lookups[one](name);
      } catch (failure) {
        // A name that cannot be an image's may still be something else's.
        if (!["not_found", "invalid_argument"].includes(toGalleyError(failure).code)) throw failure;
      }
    }
    throw new GalleyError("not_found", `no such object: ${name}`);
  };
}
