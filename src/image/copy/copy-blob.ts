import type { Descriptor } from "../../spec/image.ts";
import type { Lending } from "../content/lent.ts";
import type { Destination, NewBlob, Source } from "../transports/place.ts";
import type { Retry } from "../transports/transport.ts";
import { verified } from "../verify/read.ts";
import { type Changes, changedContent, isChanged } from "./changed-content.ts";
import type { Annotations } from "./chunked/annotations.ts";
import type { CopyOptions } from "./options.ts";

/** What the blobs of one copy share. */
export interface BlobParts {
  readonly source: Source;
  readonly destination: Destination;
  readonly options: CopyOptions;
  readonly signal: AbortSignal;
}

/** A blob to be copied. */
export interface BlobTask {
  readonly blob: Descriptor;
  readonly what: "layer" | "config";
  /** Of a layer: the digest of its tar, where the image's configuration tells. It is waited for when the destination was asked for the blob. */
  readonly diffId?: (() => Promise<string | undefined>) | undefined;
  /** What is done to it on its way; nothing where it is to stay as it is. */
  readonly changes?: Changes;
  /** The content, where it is read already, or about to be. */
  readonly content?: Promise<Uint8Array>;
}

/** What a blob is at the destination. */
export interface CopiedBlob {
  readonly digest: string;
  readonly size: number;
  /** What is to be said of what was done to it. */
  readonly annotations?: Annotations;
}

/** Bytes between two reports on one blob. */
const STEP = 1 << 20;

/** Copies one blob, if the destination does not hold it; gives what it is there. */
export async function copyBlob(parts: BlobParts, task: BlobTask): Promise<CopiedBlob> {
  const { destination, source, signal, options } = parts;
  const { blob, what, changes = {} } = task;
  const { digest, size } = blob;
  const emit = options.onProgress ?? (() => undefined);
  const tell = async (status: "started" | "present" | "mounted" | "copied") =>
    emit({ kind: "blob", digest, what, size, status, diffId: await task.diffId?.() });
  const onRetry = (retry: Retry) => emit({ kind: "retrying", digest, ...retry });
  signal.throwIfAborted();
  if (!isChanged(changes)) {
    const found = await destination.reuse(blob, source, { signal, onRetry });
    if (found !== "absent") {
      await tell(found);
      return { digest, size };
    }
  }
  await tell("started");
  let annotations: Annotations | undefined;
  const annotate = (made: Annotations) => {
    annotations = { ...annotations, ...made };
  };
  const coming = await newBlob(parts, task, onRetry, annotate);
  const written = await destination.writeBlob(coming, { signal, onRetry });
  await tell("copied");
  return annotations === undefined ? written : { ...written, annotations };
}

async function newBlob(
  { source, signal, options }: BlobParts,
  { blob, changes = {}, ...task }: BlobTask,
  onRetry: (retry: Retry) => void,
  annotate: (annotations: Annotations) => void,
): Promise<NewBlob> {
  const { mediaType, digest, size } = blob;
  const [content, diffId] = [await task.content, await task.diffId?.()];
  const read = (offset: number, { lend = false }: Lending = {}) =>
    counted(source.blob(blob, { offset, lend, signal, onRetry }), offset, (current) =>
      options.onProgress?.({ kind: "progress", digest, current, size }),
    );
  const known = { mediaType, expected: { digest, size } };
  if (content !== undefined) return { ...known, open: (offset) => once(content.subarray(offset)) };
  if (!isChanged(changes)) return { ...known, diffId, open: read };
  return { mediaType, diffId, open: () => changedContent(verified(read(0), blob), changes, diffId, annotate) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  start: number,
  report: (current: number) => void,
): AsyncGenerator<Uint8Array> {
  let current = start;
  let next = start + STEP;
  for await (const chunk of source) {
    current += chunk.length;
    if (current >= next) {
      report(current);
      next = current + STEP;
    }
    yield chunk;
  }
}
