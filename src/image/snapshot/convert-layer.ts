import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { toGalleyError } from "../../errors.ts";
import { AT_FDCWD, RENAME, renameat2 } from "../../linux/sys/sys.ts";
import { fillWithIndex } from "./apply-as-index.ts";
import { filled, unpackInto } from "./apply-to-directory.ts";
import { cleanIngests, Ingest } from "./ingest.ts";
import type { LayerForm } from "./kept-layers.ts";
import { layerDirectory } from "./layer-directory.ts";
import { lockLayer } from "./layer-lock.ts";
import type { LayerMount } from "./layer-mount.ts";
import { unmountLayer } from "./mount-layer.ts";

export interface Conversion {
  readonly layers: string;
  readonly mount: LayerMount;
  readonly to: Exclude<LayerForm, "auto">;
  readonly tar: () => AsyncIterable<Uint8Array>;
  /** The form that the layer has now. */
  readonly form: () => LayerForm | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Makes the layer's other form beside its place and exchanges the two; see `KeptLayers.convert`. */
export async function convertLayer({ layers, mount, to, tar, form, signal }: Conversion): Promise<void> {
  const { diffId } = mount;
  using _lock = await lockLayer(layers, diffId, signal);
  const from = form();
  if (from === undefined || from === to) return;
  cleanIngests(layers);
  const directory = layerDirectory(layers, diffId);
  using ingest = Ingest.create(layers);
  try {
    const source = from === "erofs" ? keptTar(directory) : tar();
    const fill = to === "erofs" ? fillWithIndex(diffId, false) : unpackInto;
    await filled(ingest.path, diffId, source, signal === undefined ? {} : { signal }, fill);
    renameat2(AT_FDCWD, ingest.path, AT_FDCWD, directory, RENAME.EXCHANGE);
  } catch (cause) {
    const failure = toGalleyError(cause, { op: "convert layer", subject: diffId });
    ingest.discard(failure);
    throw failure;
  }
  await unmountLayer(mount);
  ingest.discard();
}

/** The tar that stands beside an index, without what fills it up to a block. */
function keptTar(directory: string): AsyncIterable<Uint8Array> {
  const { tarBytes } = JSON.parse(readFileSync(join(directory, "layer.json"), "utf8")) as { readonly tarBytes: number };
  return createReadStream(join(directory, "layer.tar"), { end: tarBytes - 1, highWaterMark: 1 << 19 });
}
