import { GalleyError } from "../../errors.ts";
import { chainIds } from "../chain-id.ts";
import { shortDigest } from "../digest.ts";
import { familiarName, parseReference } from "../reference.ts";
import type { ImageUser, RemovedItem, RemoveOptions } from "../types.ts";
import { findRow, isIdPrefix, knownAs, noSuchImage } from "./find.ts";
import type { ImageTable, NameRow } from "./image-table.ts";

/** Who uses an image; asked inside the transaction that removes it. */
export type InUse = (imageId: string) => readonly ImageUser[];

/**
 * docker's `rmi` of one image, as changes of the tables; to be run in a transaction. A name is taken away; with the last name goes
 * the image. An ID stands for all of the image's names if they are of one repository. What is given back is what docker prints.
 */
export function removeFromTables(
  table: ImageTable,
  inUse: InUse,
  text: string,
  options: RemoveOptions,
): readonly RemovedItem[] {
  const row = findRow(table, text);
  if (row === undefined) throw noSuchImage(text);
  const removal = new Removal(table, inUse(row.id), row.id, options.force === true);
  return isIdPrefix(text, row.id) ? removal.byId() : removal.byName(text);
}

class Removal {
  readonly #removed: RemovedItem[] = [];

  constructor(
    private readonly table: ImageTable,
    private readonly users: readonly ImageUser[],
    private readonly id: string,
    private readonly force: boolean,
  ) {}

  byName(text: string): readonly RemovedItem[] {
    const name = knownAs(this.table, text);
    const [user] = this.users;
    if (!this.force && user !== undefined && areOneReference(this.#names())) throw nameConflict(text, user, this.id);
    this.#untag(name);
    if (!name.includes("@") && !this.#names().some((row) => isTagOf(row, name))) {
      for (const row of this.#names()) if (repositoryPart(row.name) === repositoryPart(name)) this.#untag(row.name);
    }
    if (this.#names().length > 0) return this.#removed;
    // A running container keeps the image, which has no name any more.
    if (this.users.some((container) => container.running)) return this.#removed;
    return this.#delete();
  }

  byId(): readonly RemovedItem[] {
    const conflict = this.#conflict();
    if (conflict !== undefined) throw conflict;
    for (const row of this.#names()) this.#untag(row.name);
    return this.#delete();
  }

  /** What stands against removal by ID, in docker's order. */
  #conflict(): GalleyError | undefined {
    const running = this.users.find((container) => container.running);
    const [user] = this.users;
    if (running !== undefined) return idConflict(this.id, "cannot be forced", usedBy("running", running));
    if (this.force) return undefined;
    if (!areOneReference(this.#names())) {
      return idConflict(this.id, "must be forced", "image is referenced in multiple repositories");
    }
    return user === undefined ? undefined : idConflict(this.id, "must be forced", usedBy("stopped", user));
  }

  #names(): readonly NameRow[] {
    return this.table.namesOf(this.id);
  }

  #untag(name: string): void {
    this.table.dropName(name);
    this.#removed.push({ untagged: familiarName(parseReference(name)) });
  }

  #delete(): readonly RemovedItem[] {
    const chains = chainIds(this.table.layersOf(this.id).map((layer) => layer.diff_id));
    // Containers that are stopped can still be started: their layers stay, out of sight.
    if (this.users.length > 0) this.table.hide(this.id);
    else this.table.drop(this.id);
    const kept = this.#chainsOfOthers();
    const gone = chains.filter((chain) => !kept.has(chain)).reverse();
    this.#removed.push(...[this.id, ...(this.users.length > 0 ? [] : gone)].map((deleted) => ({ deleted })));
    return this.#removed;
  }

  #chainsOfOthers(): ReadonlySet<string> {
    const others = this.table.all().filter(({ id }) => id !== this.id);
    return new Set(others.flatMap(({ id }) => chainIds(this.table.layersOf(id).map((layer) => layer.diff_id))));
  }
}

function repositoryPart(name: string): string {
  const { domain, path } = parseReference(name);
  return `${domain}/${path}`;
}

function isTagOf(row: NameRow, name: string): boolean {
  return !row.name.includes("@") && repositoryPart(row.name) === repositoryPart(name);
}

/** At most one tag, with digests of the tag's own repository alone. */
function areOneReference(names: readonly NameRow[]): boolean {
  const tags = names.filter((row) => !row.name.includes("@"));
  return tags.length <= 1 && new Set(names.map((row) => repositoryPart(row.name))).size <= 1;
}

const forced = "remove the container first, or use -f";
const unmounted = "galley image unmount takes the mount away";

function nameConflict(text: string, user: ImageUser, id: string): GalleyError {
  const { id: container, isMount } = user;
  const used = isMount
    ? "it is mounted"
    : `container ${container.slice(0, 12)} is using its referenced image ${shortDigest(id)}`;
  const message = `conflict: unable to remove repository reference ${JSON.stringify(text)} (must force) - ${used}`;
  return new GalleyError("failed_precondition", message, { hint: isMount ? unmounted : forced });
}

function usedBy(state: string, user: ImageUser): string {
  if (user.isMount) return `image is mounted; ${unmounted}`;
  return `image is being used by ${state} container ${user.id.slice(0, 12)}`;
}

function idConflict(id: string, how: "must be forced" | "cannot be forced", why: string): GalleyError {
  const message = `conflict: unable to delete ${shortDigest(id)} (${how}) - ${why}`;
  return new GalleyError("failed_precondition", message, how === "must be forced" ? { hint: "use -f" } : {});
}
