import type { Descriptor } from "../../spec/image.ts";
import { decompress } from "../pull/decompress.ts";
import { verified } from "../verify/read.ts";
import type { ContentStore } from "./content-store.ts";
import { Growth } from "./growth.ts";
import type { Ingest } from "./ingest.ts";

/**
 * A layer's blob in a file that is whole, or is still arriving. To read it is to get its tar, decompressed in this thread, in chunks that are
 * good until the next but one is asked for; who has another thread for that takes the file.
 */
export class LayerFile implements AsyncIterable<Uint8Array> {
  /** A blob that is in the store. What reads it checks that it is what its digest says. */
  static kept(content: ContentStore, blob: Descriptor): LayerFile {
    return new LayerFile(blob.size, {
      growth: () => wholly(blob.size),
      check: blob.digest,
      open: () => content.open(blob.digest),
      stream: () => verified(content.stream(blob.digest), blob),
      failure: () => undefined,
    });
  }

  /** A blob that is being written, and checked on its way. */
  static arriving(ingest: Ingest): LayerFile {
    return new LayerFile(ingest.target.size, {
      growth: () => ingest.growth,
      check: undefined,
      open: () => ingest.openForReading(),
      stream: () => ingest.follow({ lend: true }),
      failure: () => ingest.failure,
    });
  }

  private constructor(
    /** Bytes of the whole. */
    readonly size: number,
    private readonly from: {
      readonly growth: () => Growth;
      readonly check: string | undefined;
      readonly open: () => number;
      readonly stream: () => AsyncIterable<Uint8Array>;
      readonly failure: () => unknown;
    },
  ) {}

  /** The digest that what is read must have; `undefined` where the writer sees to that. */
  get check(): string | undefined {
    return this.from.check;
  }

  /** How far the file is. */
  growth(): Growth {
    return this.from.growth();
  }

  /** A descriptor of the file for reading, which is the caller's to close. */
  open(): number {
    return this.from.open();
  }

  /** Why the file stopped growing; `undefined` where its writer has not failed. */
  get failure(): unknown {
    return this.from.failure();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return decompress(this.from.stream(), { lend: true });
  }
}

function wholly(size: number): Growth {
  const growth = new Growth();
  growth.reached(size);
  growth.complete();
  return growth;
}
