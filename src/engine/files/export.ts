import { treeMembers } from "../../image/layers/tar/tree-members.ts";
import { writeTar } from "../../image/layers/tar/write-tar.ts";
import type { Parts } from "../lifecycle/parts.ts";
import { findRecord } from "../records/find.ts";
import { viewOf } from "./view.ts";
import { whileThere } from "./while-there.ts";

/** A container's root as a tar archive; of what is mounted in it, the empty mount points. */
export async function* exportContainer(parts: Parts, container: string): AsyncGenerator<Uint8Array, void, undefined> {
  const record = findRecord(parts.table, container);
  using view = await viewOf(parts, record);
  yield* whileThere(parts, record, writeTar(treeMembers(view.walk())));
}
