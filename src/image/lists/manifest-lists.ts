import type { Database } from "bun:sqlite";
import { GalleyError } from "../../errors.ts";
import { canonicalName, familiarName, parseReference, withDefaultTag } from "../reference.ts";
import type { RemovedItem } from "../types.ts";
import type { ManifestList } from "./manifest-list.ts";

interface Row {
  readonly name: string;
  readonly id: string;
  readonly manifests: string;
  readonly annotations: string;
  readonly sources: string;
  readonly created: string;
  readonly subject: string;
  readonly artifacts: string;
}

/** The lists of a store, by name. They hold what was said of images, and no images: those stay where they are until a list is pushed. */
export class ManifestLists {
  constructor(private readonly database: Database) {}

  /** By name, or the beginning of its ID. */
  find(text: string): ManifestList | undefined {
    const name = canonicalName(withDefaultTag(parseReference(text)));
    const sql = "SELECT * FROM manifest_lists WHERE name = ?1 OR (length(?2) > 3 AND substr(id, 1, length(?2)) = ?2)";
    const row = this.database.query<Row, [string, string]>(sql).get(name, text);
    return row === null ? undefined : listOf(row);
  }

  /** As {@link find}, where absence is an error. */
  get(text: string): ManifestList {
    const list = this.find(text);
    if (list !== undefined) return list;
    const shown = familiarName(withDefaultTag(parseReference(text)));
    throw new GalleyError("not_found", `${shown}: no such manifest list`, { hint: "galley manifest create makes one" });
  }

  all(): readonly ManifestList[] {
    return this.database.query<Row, []>("SELECT * FROM manifest_lists ORDER BY name").all().map(listOf);
  }

  /** A new list without images. One of the name is `already_exists`, or with `amend` is given as it is. */
  create(
    text: string,
    { amend, annotations }: { readonly amend: boolean; readonly annotations: ManifestList["annotations"] },
  ): ManifestList {
    const reference = withDefaultTag(parseReference(text));
    if (reference.digest !== undefined)
      throw new GalleyError("invalid_argument", "a list is named by a tag, not by a digest", { subject: text });
    const id = `${crypto.randomUUID()}${crypto.randomUUID()}`.replaceAll("-", "");
    const createdAt = new Date().toISOString();
    const fresh = {
      name: canonicalName(reference),
      id,
      createdAt,
      manifests: [],
      annotations,
      sources: {},
      artifacts: {},
    };
    return this.#change(() => {
      const known = this.find(text);
      if (known === undefined) return this.#write(fresh);
      if (amend) return this.#write({ ...known, annotations: { ...known.annotations, ...annotations } });
      throw new GalleyError(
        "already_exists",
        `image name ${JSON.stringify(familiarName(reference))} is already associated with list ${known.id.slice(0, 12)}`,
        { hint: "--amend goes on with it" },
      );
    });
  }

  /** Changes a list as it is at that moment, whatever others do to it. */
  update(text: string, change: (list: ManifestList) => ManifestList): ManifestList {
    return this.#change(() => this.#write(change(this.get(text))));
  }

  /** What is given back is what podman prints of it. */
  remove(text: string): readonly RemovedItem[] {
    return this.#change(() => {
      const list = this.get(text);
      this.database.run("DELETE FROM manifest_lists WHERE name = ?", [list.name]);
      return [{ untagged: familiarName(parseReference(list.name)) }, { deleted: list.id }];
    });
  }

  #change<T>(work: () => T): T {
    return this.database.transaction(work).immediate();
  }

  #write(list: ManifestList): ManifestList {
    const texts = [list.manifests, list.annotations, list.sources, list.artifacts].map((value) =>
      JSON.stringify(value),
    );
    const subject = list.subject === undefined ? "" : JSON.stringify(list.subject);
    this.database.run(
      "INSERT OR REPLACE INTO manifest_lists (name, id, manifests, annotations, sources, artifacts, created, subject) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      [list.name, list.id, ...texts, list.createdAt, subject],
    );
    return list;
  }
}

function listOf({ name, id, manifests, annotations, sources, artifacts, created, subject }: Row): ManifestList {
  return {
    name,
    id,
    createdAt: created,
    manifests: JSON.parse(manifests),
    annotations: JSON.parse(annotations),
    sources: JSON.parse(sources),
    artifacts: JSON.parse(artifacts),
    ...(subject === "" ? {} : { subject: JSON.parse(subject) }),
  };
}
