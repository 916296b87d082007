import { lstatSync, readFileSync, readlinkSync, type Stats } from "node:fs";
import { join } from "node:path";
import { GalleyError } from "../../errors.ts";
import type { LayerUsage } from "./snapshotter.ts";

/** Digests a layer may be named by (image-spec descriptor.md, "Registered algorithms"), with their length in hexadecimal. */
const ALGORITHMS: Readonly<Record<string, number>> = { sha256: 64, sha512: 128 };

export interface DigestParts {
  readonly algorithm: "sha256" | "sha512";
  readonly hex: string;
}

/** Parts of a diff ID; anything else, which could be a path too, is `invalid_argument`. */
export function digestParts(diffId: string): DigestParts {
  const [algorithm = "", hex = "", ...more] = diffId.split(":");
  if (more.length === 0 && ALGORITHMS[algorithm] === hex.length && /^[0-9a-f]+$/.test(hex)) {
    return { algorithm: algorithm as DigestParts["algorithm"], hex };
  }
  throw new GalleyError("invalid_argument", "it is no diff ID", {
    op: "find layer",
    subject: JSON.stringify(diffId.slice(0, 200)),
    hint: "a diff ID is sha256: or sha512: and hexadecimal digits",
  });
}

/**
 * Where a layer lies: `<layers>/<algorithm>/<hex>/`, with its files in `diff` and what is known of it in `layer.json`. A layer that
 * removes all below it, which overlayfs has no way to say of a whole layer, has its files in `opaque`, and `diff` is a link to it.
 */
export function layerDirectory(layers: string, diffId: string): string {
  const { algorithm, hex } = digestParts(diffId);
  return join(layers, algorithm, hex);
}

/** The layer's files, `undefined` where there is no such layer. One lstat. */
export function statLayer(directory: string): Stats | undefined {
  return lstatSync(`${directory}/diff`, { throwIfNoEntry: false });
}

/**
 * The index of a layer that is kept as it came: `index.erofs`, which points into `layer.tar` beside it. It is a link where the layer
 * removes all below it. `undefined` where there is none. One lstat.
 */
export function statIndex(directory: string): Stats | undefined {
  return lstatSync(`${directory}/index.erofs`, { throwIfNoEntry: false });
}

/** Whether the layer is kept, in either form. */
export function isKept(directory: string): boolean {
  return (statLayer(directory) ?? statIndex(directory)) !== undefined;
}

/** The directory with the layer's files. */
export function filesOf(directory: string, stats: Stats): string {
  return join(directory, stats.isSymbolicLink() ? readlinkSync(`${directory}/diff`) : "diff");
}

/** What `layer.json` says. */
export function readUsage(directory: string): LayerUsage {
  try {
    const { size } = JSON.parse(readFileSync(join(directory, "layer.json"), "utf8")) as { readonly size?: unknown };
    return { size: typeof size === "number" ? size : 0 };
  } catch {
    return { size: 0 };
  }
}
