import { digestOf } from "./digest.ts";

/** Chain IDs of a stack of layers, bottom first: what names a layer together with all below it (image-spec config.md). */
export function chainIds(diffIds: readonly string[]): readonly string[] {
  const chains: string[] = [];
  for (const diffId of diffIds) {
    const below = chains.at(-1);
    chains.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`));
  }
  return chains;
}
