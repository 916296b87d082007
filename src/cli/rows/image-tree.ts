import { chainIds } from "../../image/chain-id.ts";
import type { ImageRecord, LayerFacts } from "../../image/types.ts";
import { shortId } from "./text.ts";

/** A layer with what stands on it. `id` is the start of its chain ID, `size` in bytes, `topOf` the names of images that end with it. */
export interface TreeLayer {
  readonly id: string;
  readonly size: number;
  readonly topOf: readonly string[];
  readonly children: readonly TreeLayer[];
}

interface Place {
  readonly chain: string;
  readonly size: number;
}

/**
 * The layers of an image, bottom first, or with `whatRequires` of all images that begin with them, as podman shows them: what stands on a
 * layer alone follows it, and only where there are several does each become a branch.
 */
export function imageTree(
  image: ImageRecord,
  all: readonly ImageRecord[],
  layersOf: (id: string) => readonly LayerFacts[],
  whatRequires: boolean,
): readonly TreeLayer[] {
  const names = topNames(all);
  const place = ({ chain, size }: Place) => ({ id: shortId(chain), size, topOf: names.get(chain) ?? [] });
  const own = placesOf(layersOf(image.id));
  const leaf = (one: Place): TreeLayer => ({ ...place(one), children: [] });
  const top = own.at(-1)?.chain;
  if (!whatRequires || top === undefined) return own.map(leaf);
  const above = childrenByChain(all.map(({ id }) => placesOf(layersOf(id))));
  const grow = (chain: string): readonly TreeLayer[] => {
    const children = above.get(chain) ?? [];
    const [only] = children;
    if (only !== undefined && children.length === 1) return [leaf(only), ...grow(only.chain)];
    return children.map((child) => ({ ...place(child), children: grow(child.chain) }));
  };
  return [...own.map(leaf), ...grow(top)];
}

function placesOf(layers: readonly LayerFacts[]): readonly Place[] {
  const chains = chainIds(layers.map(({ diffId }) => diffId));
  return chains.map((chain, index) => ({ chain, size: layers[index]?.size ?? 0 }));
}

function topNames(images: readonly ImageRecord[]): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, readonly string[]>();
  for (const image of images) {
    const top = chainIds(image.layers).at(-1) ?? "";
    names.set(top, [...(names.get(top) ?? []), ...image.names]);
  }
  return names;
}

function childrenByChain(stacks: readonly (readonly Place[])[]): ReadonlyMap<string, readonly Place[]> {
  const children = new Map<string, readonly Place[]>();
  for (const stack of stacks) {
    for (const [index, place] of stack.slice(1).entries()) {
      const below = stack[index]?.chain ?? "";
      const known = children.get(below) ?? [];
      if (!known.some(({ chain }) => chain === place.chain)) children.set(below, [...known, place]);
    }
  }
  return children;
}
