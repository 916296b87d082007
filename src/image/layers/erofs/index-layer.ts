import { ftruncateSync, write } from "node:fs";
import { GalleyError, toGalleyError } from "../../../errors.ts";
import type { ApplyLayerOptions } from "../apply/apply-layer.ts";
import type { LayerTotals } from "../apply/layer-writer.ts";
import { TarParser } from "../tar/parser.ts";
import { BLOCK, blocksOf } from "./format.ts";
import { LayerTree } from "./layer-tree.ts";
import { writeIndex } from "./write-index.ts";

/** Where a layer goes: two empty files, open for reading and writing. */
export interface LayerFiles {
  readonly tar: number;
  readonly index: number;
  /** 16 bytes by which the file system is told from others. */
  readonly uuid: Uint8Array;
}

/** What a layer came to, and how long its tar is. */
export interface IndexedLayer extends LayerTotals {
  readonly tarBytes: number;
}

/** A layer whose tar is kept: with its index, or with the reason (`unimplemented`) why an index has no form for it. */
export type Indexed =
  | { readonly layer: IndexedLayer; readonly refused?: undefined }
  | { readonly layer?: undefined; readonly refused: GalleyError };

/**
 * Keeps a layer's tar as it comes and, when it has come whole, writes the index that shows it as a file system. The stream is read to its
 * end; failures are those of `applyLayer`.
 */
export async function indexLayer(
  tar: AsyncIterable<Uint8Array>,
  files: LayerFiles,
  options: ApplyLayerOptions = {},
): Promise<Indexed> {
  const indexer = new LayerIndexer();
  const kept = new Appended(files.tar);
  try {
    for await (const chunk of tar) {
      if (options.signal?.aborted === true) throw canceled(options.signal);
      options.onChunk?.(chunk);
      indexer.push(chunk);
      await kept.append(chunk);
    }
  } finally {
    await kept.settled(); // Whatever failed: the descriptor is the caller's to close.
  }
  kept.throwIfFailed();
  return indexer.finish(files, kept.bytes);
}

/** Reads a layer's tar while the caller keeps it, and writes its index at the end. */
export class LayerIndexer {
  readonly #tree = new LayerTree();
  readonly #parser = new TarParser(this.#tree);

  /** Takes the next bytes. Failures are those of `applyLayer`. */
  push(chunk: Uint8Array): void {
    this.#parser.push(chunk);
  }

  /**
   * The tar has come whole and is in its file, which is filled up to a whole block, and has one at least: nothing mounts a device without a
   * byte. Fails where the tar does not end there.
   */
  finish(files: LayerFiles, tarBytes: number): Indexed {
    this.#parser.finish();
    ftruncateSync(files.tar, Math.max(1, blocksOf(tarBytes)) * BLOCK);
    try {
      return { layer: { ...writeIndex(this.#tree, { ...files, tarBytes }), tarBytes } };
    } catch (failure) {
      if (failure instanceof GalleyError && failure.code === "unimplemented") return { refused: failure };
      throw failure;
    }
  }
}

/** A file that grows by chunks, one of which is being written, in another thread, while the next one comes. */
class Appended {
  bytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #failure: unknown;

  constructor(private readonly fd: number) {}

  /** Resolves when the chunk before is written; this one must not change until the next one's does. */
  async append(chunk: Uint8Array): Promise<void> {
    await this.#writing;
    this.throwIfFailed();
    this.#writing = writeAll(this.fd, chunk, this.bytes).catch((failure: unknown) => {
      this.#failure = failure;
    });
    this.bytes += chunk.length;
  }

  settled(): Promise<void> {
    return this.#writing;
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

async function writeAll(fd: number, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += await new Promise<number>((resolve, reject) =>
      write(fd, bytes, done, bytes.length - done, at + done, (failure, count) =>
        failure === null ? resolve(count) : reject(toGalleyError(failure, { op: "unpack" })),
      ),
    );
  }
}

function canceled(signal: AbortSignal): GalleyError {
  return new GalleyError("canceled", "unpacking was called off", { op: "unpack", cause: signal.reason });
}
