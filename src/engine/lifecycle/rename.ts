import { GalleyError } from "../../errors.ts";
import { findRecord } from "../records/find.ts";
import { checkedName, nameInUse } from "../records/names.ts";
import { change, type Parts } from "./parts.ts";

/** Gives a container another name. */
export function renameContainer(parts: Parts, container: string, text: string): void {
  const name = checkedName(text);
  change(parts, () => {
    const { id, name: before } = findRecord(parts.table, container);
    if (before === name) {
      throw new GalleyError("invalid_argument", "Renaming a container with the same name as its current name");
    }
    const owner = parts.table.byName(name);
    if (owner !== undefined) throw nameInUse(name, owner.id);
    parts.table.rename(id, name);
  });
}
