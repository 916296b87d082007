import { LayerView } from "../../image/layers/view/view.ts";
import { Root } from "../../linux/fs-at/fs-at.ts";
import type { Parts } from "../lifecycle/parts.ts";
import { findRecord } from "../records/find.ts";
import type { FileChange } from "../types.ts";
import { changesOf } from "./changes.ts";
import { layersOf } from "./view.ts";

/** What a container has changed of its image's files. */
export async function diffContainer(parts: Parts, container: string): Promise<readonly FileChange[]> {
  const layers = await layersOf(parts, findRecord(parts.table, container));
  using lower = new LayerView(layers.lower);
  using upper = Root.open(layers.upper);
  return changesOf(upper, lower);
}
