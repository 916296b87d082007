import { closeSync, createReadStream, openSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { LayerFile } from "../content/layer-file.ts";
import type { LayerTotals } from "../layers/apply/layer-writer.ts";
import { type Indexed, indexLayer, type LayerFiles } from "../layers/erofs/index-layer.ts";
import { applyInto, type Fill, type FillOptions, unpackInto } from "./apply-to-directory.ts";
import { digestParts } from "./layer-directory.ts";
import type { ApplyOptions, LayerUsage } from "./snapshotter.ts";

/** Names of the files of a layer that is kept with an index. */
const TAR = "layer.tar";
const INDEX = "index.erofs";

/** Bytes of a blob from which the start of a thread, some 40 ms, is soon won back. */
const WORTH_A_THREAD = 8 << 20;

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

/** Keeps the tar in the directory, and writes its index: in a thread where that is worth it, else here. */
export function fillWithIndex(diffId: string, fallBack: boolean): Fill {
  return async (directory, tar, options) => {
    const files = openFiles(directory, diffId);
    try {
      const { refused, layer, ...digest } = await index(tar, files, options);
      if (layer !== undefined) markOpaque(directory, layer.opaque === "root");
      else if (!fallBack) throw refused;
      return { ...(layer ?? (await unpackKept(directory))), ...digest };
    } finally {
      for (const fd of [files.tar, files.index]) closeSync(fd);
    }
  };
}

async function index(
  tar: AsyncIterable<Uint8Array>,
  files: LayerFiles,
  options: FillOptions,
): Promise<Indexed & { readonly digest?: string }> {
  if (!(tar instanceof LayerFile) || tar.size < WORTH_A_THREAD) return indexLayer(tar, files, options);
  const { indexFile, isThreadFree } = await import("./thread/index-file.ts");
  return isThreadFree() ? indexFile(tar, files, options) : indexLayer(tar, files, options);
}

function openFiles(directory: string, diffId: string): LayerFiles {
  const uuid = Buffer.from(digestParts(diffId).hex.slice(0, 32), "hex");
  const [tar, index] = [TAR, INDEX].map((name) => openSync(join(directory, name), "wx+", 0o600));
  return { tar: tar ?? -1, index: index ?? -1, uuid };
}

/** Unpacks a layer from the tar that is kept of it, which goes then. */
async function unpackKept(directory: string): Promise<LayerTotals> {
  const totals = await unpackInto(directory, createReadStream(join(directory, TAR), { highWaterMark: 1 << 19 }));
  for (const name of [TAR, INDEX]) rmSync(join(directory, name));
  return totals;
}

/** A layer that removes all below it is known by its index being a link. */
function markOpaque(directory: string, isOpaque: boolean): void {
  if (!isOpaque) return;
  renameSync(join(directory, INDEX), join(directory, `opaque-${INDEX}`));
  symlinkSync(`opaque-${INDEX}`, join(directory, INDEX));
}
