import { closeSync, createReadStream, openSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { GalleyError } from "../../errors.ts";
import { indexLayer } from "../layers/erofs/index-layer.ts";
import { applyInto, type Fill, unpackInto } from "./apply-to-directory.ts";
import { digestParts } from "./layer-directory.ts";
import type { ApplyOptions, LayerUsage } from "./snapshotter.ts";

/** Names of the files of a layer that is kept with an index. */
const TAR = "layer.tar";
const INDEX = "index.erofs";

/**
 * Keeps a layer's tar and the index of it, put together beside their place and moved there when they are whole; see `Snapshotter.apply`.
 * @param options.fallBack whether a layer that an index has no form for is unpacked instead
 */
export function applyAsIndex(
  layers: string,
  diffId: string,
  tar: AsyncIterable<Uint8Array>,
  options: ApplyOptions & { readonly fallBack: boolean },
): Promise<LayerUsage> {
  return applyInto(layers, diffId, tar, options, fillWithIndex(diffId, options.fallBack));
}

/** Keeps the tar in the directory, and writes its index. */
export function fillWithIndex(diffId: string, fallBack: boolean): Fill {
  return async (directory, tar, options) => {
    const path = join(directory, TAR);
    const files = [openSync(path, "wx+", 0o600), openSync(join(directory, INDEX), "wx+", 0o600)] as const;
    const uuid = Buffer.from(digestParts(diffId).hex.slice(0, 32), "hex");
    try {
      const totals = await indexLayer(tar, { tar: files[0], index: files[1], uuid }, options);
      markOpaque(directory, totals.opaque === "root");
      return totals;
    } catch (failure) {
      const only = fallBack && failure instanceof GalleyError && failure.code === "unimplemented";
      if (!only) throw failure;
    } finally {
      for (const fd of files) closeSync(fd);
    }
    const totals = await unpackInto(directory, createReadStream(path, { highWaterMark: 1 << 19 }), {});
    for (const name of [TAR, INDEX]) rmSync(join(directory, name));
    return totals;
  };
}

/** A layer that removes all below it is known by its index being a link. */
function markOpaque(directory: string, isOpaque: boolean): void {
  if (!isOpaque) return;
  renameSync(join(directory, INDEX), join(directory, `opaque-${INDEX}`));
  symlinkSync(`opaque-${INDEX}`, join(directory, INDEX));
}
