import { existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { GalleyError, restated, toGalleyError } from "../../errors.ts";
import { type ApplyLayerOptions, applyLayer } from "../layers/apply/apply-layer.ts";
import type { LayerTotals } from "../layers/apply/layer-writer.ts";
import { cleanIngests, Ingest } from "./ingest.ts";
import { digestParts, isKept, layerDirectory, readUsage } from "./layer-directory.ts";
import { lockLayer } from "./layer-lock.ts";
import { HAS_OPAQUE } from "./read-image-file.ts";
import type { ApplyOptions, LayerUsage } from "./snapshotter.ts";

/** What a layer is made with. Either every byte goes by `onChunk`, or the tar's digest is among what the layer came to. */
export interface FillOptions extends ApplyLayerOptions {
  /** Of the diff ID. */
  readonly algorithm: "sha256" | "sha512";
  /** Told now and then how many bytes of the tar have been taken. */
  readonly onBytes: (bytes: number) => void;
}

/** What a layer came to; the digest of its tar in hexadecimal where that is known already. */
export type Filled = LayerTotals & { readonly tarBytes?: number; readonly digest?: string };

/** Makes a layer in an empty directory of its own, in whatever form. It reads the stream to its end. */
export type Fill = (directory: string, tar: AsyncIterable<Uint8Array>, options: FillOptions) => Promise<Filled>;

/** Unpacks a layer beside its place and moves it there when it is whole; see `Snapshotter.apply`. */
export function applyToDirectory(
  layers: string,
  diffId: string,
  tar: AsyncIterable<Uint8Array>,
  options: ApplyOptions,
): Promise<LayerUsage> {
  return applyInto(layers, diffId, tar, options, unpackInto);
}

/** Makes a layer beside its place, checks its digest, and moves it there. */
export async function applyInto(
  layers: string,
  diffId: string,
  tar: AsyncIterable<Uint8Array>,
  options: ApplyOptions,
  fill: Fill,
): Promise<LayerUsage> {
  using _lock = await lockLayer(layers, diffId, options.signal);
  const directory = layerDirectory(layers, diffId);
  if (isKept(directory)) return readUsage(directory);
  cleanIngests(layers);
  using ingest = Ingest.create(layers);
  try {
    const totals = await filled(ingest.path, diffId, tar, options, fill);
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

/** Fills a directory with a layer, and checks that its content is what its diff ID says. */
export async function filled(
  directory: string,
  diffId: string,
  tar: AsyncIterable<Uint8Array>,
  { signal, onProgress }: ApplyOptions,
  fill: Fill,
): Promise<LayerTotals> {
  const { algorithm, hex } = digestParts(diffId);
  const hasher = new Bun.CryptoHasher(algorithm);
  let bytes = 0;
  const onBytes = (count: number) => onProgress?.(count);
  const onChunk = (chunk: Uint8Array) => {
    hasher.update(chunk);
    bytes += chunk.length;
    onBytes(bytes);
  };
  const how = { algorithm, onChunk, onBytes };
  const totals = await fill(directory, tar, signal === undefined ? how : { ...how, signal });
  const digest = totals.digest ?? hasher.digest("hex");
  if (digest !== hex) throw wrongDigest(`${algorithm}:${digest}`, diffId);
  if (totals.opaque !== "none") writeFileSync(join(directory, HAS_OPAQUE), "", { mode: 0o600 });
  const { size, entries, tarBytes } = totals;
  writeFileSync(join(directory, "layer.json"), JSON.stringify({ size, entries, tarBytes }), { mode: 0o600 });
  return totals;
}

/** Unpacks a layer's files into a directory in `directory`. */
export async function unpackInto(
  directory: string,
  tar: AsyncIterable<Uint8Array>,
  options: ApplyLayerOptions = {},
): Promise<LayerTotals> {
  const diff = join(directory, "diff");
  mkdirSync(diff);
  const totals = await applyLayer(diff, tar, options);
  if (totals.opaque === "root") {
    renameSync(diff, join(directory, "opaque"));
    symlinkSync("opaque", diff);
  }
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
