import { closeSync } from "node:fs";
import { GalleyError } from "../../../errors.ts";
import type { LayerFile } from "../../content/layer-file.ts";
import type { Indexed, LayerFiles } from "../../layers/erofs/index-layer.ts";
import type { FillOptions } from "../apply-to-directory.ts";
import { receive } from "./job.ts";
import { indexInThread } from "./threads.ts";

export { isThreadFree } from "./threads.ts";

/**
 * As `indexLayer`, in another thread, with the digest of the tar in hexadecimal. Where the file's writer fails, so does this; an abort is
 * `canceled`.
 */
export async function indexFile(
  file: LayerFile,
  files: LayerFiles,
  { algorithm, onBytes, signal }: FillOptions,
): Promise<Indexed & { readonly digest: string }> {
  const blob = file.open();
  const growth = file.growth();
  const stop = () => growth.stop();
  signal?.addEventListener("abort", stop);
  if (signal?.aborted === true) stop();
  try {
    const { size, check } = file;
    const job = { blob, size, check, growth: growth.memory, files, algorithm };
    const done = await indexInThread(job, onBytes);
    if (done === undefined) throw file.failure ?? canceled(signal);
    return "layer" in done ? done : { digest: done.digest, refused: receive(done.refused) };
  } finally {
    signal?.removeEventListener("abort", stop);
    closeSync(blob);
  }
}

function canceled(signal: AbortSignal | undefined): GalleyError {
  return new GalleyError("canceled", "unpacking was called off", { op: "unpack", cause: signal?.reason });
}
