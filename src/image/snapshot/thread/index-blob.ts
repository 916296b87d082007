import { readSync } from "node:fs";
import { GalleyError, toGalleyError } from "../../../errors.ts";
import { Growth } from "../../content/growth.ts";
import { LayerIndexer } from "../../layers/erofs/index-layer.ts";
import { writeAllSync } from "../../layers/erofs/output.ts";
import { decompressSync } from "../../pull/decompress-sync.ts";
import { Verifier } from "../../verify/verifier.ts";
import { type IndexedFile, type IndexJob, send } from "./job.ts";
import { Priority } from "./priority.ts";

/** Bytes of the blob that are read at a time. */
const CHUNK = 1 << 17;

/** Bytes of tar between two reports. */
const REPORT = 1 << 22;

/** Of this thread; it outlives a layer, whose failure may leave it set aside. */
let priority: Priority | undefined;

/**
 * Decompresses a blob while it arrives, keeps its tar, and writes the index: each piece goes all the way before the next. Failures are those of
 * `Snapshotter.apply`. @returns `undefined` where the file stopped growing, or nobody wants the layer any more
 */
export function indexBlob(job: IndexJob, report: (bytes: number) => void): IndexedFile | undefined {
  const growth = new Growth(job.growth);
  try {
    return indexed(job, growth, report);
  } catch (failure) {
    if (growth.stopped) return undefined; // What stops in its midst looks damaged.
    throw failure;
  }
}

function indexed(job: IndexJob, growth: Growth, report: (bytes: number) => void): IndexedFile | undefined {
  const hasher = new Bun.CryptoHasher(job.algorithm);
  const indexer = new LayerIndexer();
  let [bytes, told] = [0, 0];
  for (const piece of decompressSync(blobOf(job, growth))) {
    priority ??= new Priority();
    priority.set(growth.aside);
    hasher.update(piece);
    indexer.push(piece);
    keep(job.files.tar, piece, bytes);
    bytes += piece.length;
    if (bytes - told < REPORT) continue;
    report(bytes);
    told = bytes;
  }
  if (growth.stopped) return undefined;
  const { layer, refused } = indexer.finish(job.files, bytes);
  const digest = hasher.digest("hex");
  return layer === undefined ? { digest, refused: send(refused) } : { digest, layer };
}

/** The blob's bytes as they arrive, checked where nobody else does. */
function* blobOf({ blob, size, check }: IndexJob, growth: Growth): Generator<Uint8Array> {
  const verifier = check === undefined ? undefined : new Verifier({ digest: check, size });
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  let at = 0;
  for (let length = growth.beyond(at); length !== undefined; length = growth.beyond(at)) {
    const count = readSync(blob, buffer, 0, Math.min(buffer.length, length - at), at);
    if (count === 0)
      throw new GalleyError("data_loss", "somebody shortened the file while it was read", { op: "read" });
    at += count;
    verifier?.update(buffer.subarray(0, count));
    yield buffer.subarray(0, count);
  }
  if (!growth.stopped) verifier?.finish();
}

function keep(fd: number, bytes: Uint8Array, at: number): void {
  try {
    writeAllSync(fd, bytes, at);
  } catch (failure) {
    throw toGalleyError(failure, { op: "unpack" });
  }
}
