import { existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { GalleyError, restated, toGalleyError } from "../../errors.ts";
import { applyLayer } from "../layers/apply/apply-layer.ts";
import type { LayerTotals } from "../layers/apply/layer-writer.ts";
import { cleanIngests, Ingest } from "./ingest.ts";
import { digestParts, layerDirectory, readUsage, statLayer } from "./layer-directory.ts";
import { lockLayer } from "./layer-lock.ts";
import { HAS_OPAQUE } from "./read-image-file.ts";
import type { ApplyOptions, LayerUsage } from "./snapshotter.ts";

/** Unpacks a layer beside its place and moves it there when it is whole; see `Snapshotter.apply`. */
export async function applyToDirectory(
  layers: string,
  diffId: string,
  tar: AsyncIterable<Uint8Array>,
  options: ApplyOptions,
): Promise<LayerUsage> {
  using _lock = await lockLayer(layers, diffId, options.signal);
  const directory = layerDirectory(layers, diffId);
  if (statLayer(directory) !== undefined) return readUsage(directory);
  cleanIngests(layers);
  using ingest = Ingest.create(layers);
  try {
    const totals = await unpack(ingest.path, diffId, tar, options);
    moveIntoPlace(layers, ingest.path, directory);
    return { size: totals.size };
  } catch (cause) {
    const failure = named(cause, diffId, options.signal);
    ingest.discard(failure);
    throw failure;
  }
}

/** What may be in the place, though it is no whole layer, goes: nobody can have used it. */
function moveIntoPlace(layers: string, from: string, directory: string): void {
  mkdirSync(dirname(directory), { recursive: true, mode: 0o700 });
  if (existsSync(directory)) {
    using remains = Ingest.create(layers);
    renameSync(directory, join(remains.path, "removed"));
    remains.discard();
  }
  renameSync(from, directory);
}

async function unpack(
  directory: string,
  diffId: string,
  tar: AsyncIterable<Uint8Array>,
  { signal, onProgress }: ApplyOptions,
): Promise<LayerTotals> {
  const diff = join(directory, "diff");
  mkdirSync(diff);
  const { algorithm, hex } = digestParts(diffId);
  const hasher = new Bun.CryptoHasher(algorithm);
  let bytes = 0;
  const onChunk = (chunk: Uint8Array) => {
    hasher.update(chunk);
    bytes += chunk.length;
    onProgress?.(bytes);
  };
  const totals = await applyLayer(diff, tar, signal === undefined ? { onChunk } : { onChunk, signal });
  const digest = hasher.digest("hex");
  if (digest !== hex) throw wrongDigest(`${algorithm}:${digest}`, diffId);
  if (totals.opaque === "root") {
    renameSync(diff, join(directory, "opaque"));
    symlinkSync("opaque", diff);
  }
  if (totals.opaque !== "none") writeFileSync(join(directory, HAS_OPAQUE), "", { mode: 0o600 });
  writeFileSync(join(directory, "layer.json"), JSON.stringify({ size: totals.size, entries: totals.entries }), {
    mode: 0o600,
  });
  return totals;
}

function wrongDigest(digest: string, diffId: string): GalleyError {
  return new GalleyError("data_loss", `the layer's content has the digest ${digest}, not its diff ID`, {
    op: "unpack",
    subject: diffId,
    hint: "the image is damaged, or its configuration is not that of its layers",
  });
}

/** The layer's name in front of what went wrong with one of its entries, or with its stream. */
function named(failure: unknown, diffId: string, signal: AbortSignal | undefined): GalleyError {
  const error = toGalleyError(failure);
  if (error.subject === diffId) return error;
  const message = error.subject === undefined ? error.message : `${error.subject}: ${error.message}`;
  const code = signal?.aborted === true ? "canceled" : error.code;
  return restated(error, { code, message, op: "unpack layer", subject: diffId });
}
