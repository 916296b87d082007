import { GalleyError } from "../../errors.ts";
import type { Descriptor } from "../../spec/image.ts";
import type { ContentStore } from "../content/content-store.ts";
import { gathered } from "../content/gathered.ts";
import { Ingest } from "../content/ingest.ts";
import { LayerFile } from "../content/layer-file.ts";
import type { Reference } from "../reference.ts";
import type { Snapshotter } from "../snapshot/snapshotter.ts";
import type { Locks } from "../store/locks.ts";
import type { Transport } from "../transports/transport.ts";
import { FirstFailure } from "./first-failure.ts";
import type { Limiter } from "./limiter.ts";
import type { PartialPulls } from "./partial/partial-pulls.ts";
import type { LayerProgress } from "./progress.ts";

/** What all layers of a pull share. */
export interface LayerParts {
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly locks: Locks;
  readonly transport: Transport;
  readonly reference: Reference;
  readonly downloads: Limiter;
  readonly unpacking: Limiter;
  readonly signal: AbortSignal;
  /** Knows what of a blob the store has already, where that may be. */
  readonly partial?: Pick<PartialPulls, "open"> | undefined;
}

export interface LayerTask {
  readonly blob: Descriptor;
  readonly diffId: string;
  readonly progress: LayerProgress;
}

/**
 * Brings one layer into the content store and the snapshotter, and gives its unpacked size in bytes. The blob is written to its file as it
 * arrives, and unpacked from that file at the same time: the two go at their own pace, no byte is fetched twice or waits in
 * memory. Where another process is at the same blob or layer, this one waits and takes what it made.
 */
export async function fetchLayer(parts: LayerParts, task: LayerTask): Promise<number> {
  using _lock = await parts.locks.take("blob", task.blob.digest, {
    signal: parts.signal,
    onWait: () => task.progress.status("waiting"),
  });
  return (await fromStore(parts, task)) ?? (await fromSource(parts, task));
}

/** From the blob in the store; `undefined` where it is absent, or damaged and therefore deleted. */
async function fromStore(parts: LayerParts, task: LayerTask): Promise<number | undefined> {
  const { content } = parts;
  if (!content.has(task.blob)) return undefined;
  task.progress.status("downloaded");
  try {
    return await unpack(parts, task, LayerFile.kept(content, task.blob));
  } catch (failure) {
    if (parts.signal.aborted || (await content.isWhole(task.blob))) throw failure;
    content.remove(task.blob.digest);
    return undefined;
  }
}

/** Whether something of a blob came from elsewhere than from the network just now. */
interface Attempt {
  mixed: boolean;
}

/** From the network, once more from the beginning if what an earlier pull had left, or another layer has, turns out to be something else. */
async function fromSource(parts: LayerParts, task: LayerTask): Promise<number> {
  const attempt = { mixed: false };
  try {
    return await downloadAndUnpack(parts, task, attempt);
  } catch (failure) {
    if (!attempt.mixed || !blamesContent(failure) || parts.content.has(task.blob)) throw failure;
    return downloadAndUnpack({ ...parts, partial: undefined }, task, attempt);
  }
}

async function downloadAndUnpack(parts: LayerParts, task: LayerTask, attempt: Attempt): Promise<number> {
  const race = new FirstFailure(parts.signal);
  const together = { ...parts, signal: race.signal };
  let unpacked: Promise<number> | undefined;
  const downloaded = parts.downloads.run(async () => {
    const ingest = await Ingest.open(parts.content, task.blob, race.signal);
    attempt.mixed = ingest.resumedFrom > 0;
    unpacked = race.watch(unpack(together, task, LayerFile.arriving(ingest)));
    await download(together, task, ingest, attempt);
  });
  await Promise.allSettled([race.watch(downloaded)]);
  await Promise.allSettled([unpacked]);
  race.throwIfFailed();
  return (await unpacked) ?? 0;
}

async function download(parts: LayerParts, task: LayerTask, ingest: Ingest, attempt: Attempt): Promise<void> {
  const { blob, progress } = task;
  try {
    const onRetry = progress.retrying.bind(progress);
    const options = { offset: ingest.offset, signal: parts.signal, onRetry, lend: true };
    progress.downloading(ingest.offset);
    const partial = await parts.partial?.open(blob, options);
    if (partial !== undefined) {
      attempt.mixed = true;
      progress.skipping(partial.kept);
    }
    for await (const chunk of gathered(partial?.source ?? parts.transport.fetchBlob(parts.reference, blob, options))) {
      await ingest.write(chunk);
      progress.downloading(ingest.offset);
    }
    await ingest.commit();
    progress.status("downloaded");
  } catch (failure) {
    // What stopped the download may be that its content turned out to be wrong.
    const cause: unknown = parts.signal.aborted ? parts.signal.reason : failure;
    await ingest.fail(failure, { keep: isWorthKeeping(cause) });
    throw failure;
  }
}

function blamesContent(failure: unknown): boolean {
  return (
    failure instanceof GalleyError && ["data_loss", "invalid_argument", "resource_exhausted"].includes(failure.code)
  );
}

/** Whether the next pull can use what came before the failure. */
export function isWorthKeeping(failure: unknown): boolean {
  return !(failure instanceof GalleyError) || ["unavailable", "canceled", "deadline_exceeded"].includes(failure.code);
}

async function unpack(parts: LayerParts, task: LayerTask, blob: LayerFile): Promise<number> {
  return parts.unpacking.run(async () => {
    using _lock = await parts.locks.take("layer", task.diffId, { signal: parts.signal });
    const { size } = await parts.snapshotter.apply(task.diffId, blob, {
      signal: parts.signal,
      onProgress: (bytes) => task.progress.extracting(bytes),
    });
    task.progress.status("complete");
    return size;
  });
}
