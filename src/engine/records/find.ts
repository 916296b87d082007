import { GalleyError } from "../../errors.ts";
import type { ContainerTable } from "./container-table.ts";
import type { ContainerRecord } from "./record.ts";

/**
 * The container that a user means: by full ID, else by name, else by the beginning of an ID that only one has. `not_found` or, where
 * several begin so, `invalid_argument`; both in docker's words.
 */
export function findRecord(table: ContainerTable, text: string): ContainerRecord {
  const known = (isId(text) ? table.byId(text) : undefined) ?? table.byName(withoutSlash(text));
  if (known !== undefined) return known;
  const [first, second] = /^[0-9a-f]{1,64}$/.test(text) ? table.byPrefix(text) : [];
  if (second !== undefined) {
    throw new GalleyError("invalid_argument", `multiple IDs found with provided prefix: ${text}`, {
      hint: "give more digits of the ID",
    });
  }
  if (first === undefined) throw noSuchContainer(text);
  return first;
}

/** docker's words for a container that is not there. */
export function noSuchContainer(text: string): GalleyError {
  return new GalleyError("not_found", `No such container: ${text}`);
}

function isId(text: string): boolean {
  return text.length === 64;
}

/** Clients of docker's API may give the slash that names begin with there. */
function withoutSlash(name: string): string {
  return name.startsWith("/") ? name.slice(1) : name;
}

/** docker's words for what only a container that runs can do. */
export function notRunning({ id, name }: ContainerRecord, op: string): GalleyError {
  const message = op === "kill" ? `cannot kill container: ${name}: container ${id} is not running` : undefined;
  return new GalleyError("failed_precondition", message ?? `container ${id} is not running`);
}
