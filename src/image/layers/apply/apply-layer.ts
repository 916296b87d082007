import { GalleyError } from "../../../errors.ts";
import { AT_FDCWD, close, fchmod, fchown, O, openat } from "../../../linux/sys/sys.ts";
import { TarParser } from "../tar/parser.ts";
import { type LayerTotals, LayerWriter } from "./layer-writer.ts";
import { thisCreator } from "./metadata.ts";

export interface ApplyLayerOptions {
  readonly signal?: AbortSignal;
  /** Sees every byte of the stream, those after the archive's end too, before it is unpacked. */
  readonly onChunk?: (chunk: Uint8Array) => void;
}

/**
 * Unpacks a layer's tar into `directory`, which must exist and be empty, in the form overlayfs takes: whiteouts as devices 0:0,
 * opaque directories by attribute. The stream is read to its end. Failures leave the directory half written, for the caller to
 * delete; they are those of `Snapshotter.apply`, less the digest's.
 */
export async function applyLayer(
  directory: string,
  tar: AsyncIterable<Uint8Array>,
  options: ApplyLayerOptions = {},
): Promise<LayerTotals> {
  const root = openat(AT_FDCWD, directory, O.RDONLY | O.DIRECTORY | O.NOFOLLOW);
  try {
    prepareRoot(root);
    using writer = new LayerWriter(root);
    const parser = new TarParser(writer);
    for await (const chunk of tar) {
      if (options.signal?.aborted === true) throw canceled(options.signal);
      options.onChunk?.(chunk);
      parser.push(chunk);
    }
    parser.finish();
    return writer.finish();
  } finally {
    close(root);
  }
}

/** A layer without an entry for its root has an ordinary one. A set-gid bit from above would give files another group. */
function prepareRoot(root: number): void {
  const creator = thisCreator();
  fchown(root, creator.uid, creator.gid);
  fchmod(root, 0o755);
}

function canceled(signal: AbortSignal): GalleyError {
  return new GalleyError("canceled", "unpacking was called off", { op: "unpack", cause: signal.reason });
}
