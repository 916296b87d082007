import { closeSync, readSync } from "node:fs";
import { CHUNK } from "../../content/content-store.ts";
import type { BlobPart } from "../../transports/transport.ts";
import type { Run } from "./plan.ts";
import { wrong } from "./wrong.ts";

/** Where the bytes of a blob come from. */
export interface Parts {
  /** What is fetched: the bytes of these parts, one after the other. */
  readonly fetch: (parts: readonly BlobPart[]) => AsyncIterable<Uint8Array>;
  /** A descriptor for reading a blob of the store. */
  readonly open: (donor: number) => number;
}

/** A blob, put together in order out of what the store has and what is fetched. Each chunk is good until the next is asked for. */
export async function* assembled(runs: readonly Run[], { fetch, open }: Parts): AsyncGenerator<Uint8Array> {
  using donors = new OpenDonors(open);
  // All are opened before anything is waited for: what is removed then stays readable.
  for (const { kept } of runs) if (kept !== undefined) donors.of(kept.donor);
  const source = fetch(runs.filter(({ kept }) => kept === undefined))[Symbol.asyncIterator]();
  let spare: Uint8Array = new Uint8Array();
  try {
    for (const { start, end, kept } of runs) {
      if (kept !== undefined) yield* donors.read(kept.donor, kept.start, end - start);
      for (let left = kept === undefined ? end - start : 0; left > 0; ) {
        if (spare.length === 0) spare = await next(source);
        const bytes = spare.subarray(0, left);
        [spare, left] = [spare.subarray(bytes.length), left - bytes.length];
        yield bytes;
      }
    }
  } finally {
    void source.return?.(undefined)?.catch(() => undefined);
  }
}

async function next(source: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const { value, done } = await source.next();
  if (done === true) throw wrong("less came than was asked for");
  return value;
}

class OpenDonors implements Disposable {
  readonly #open = new Map<number, number>();
  readonly #buffer = Buffer.allocUnsafeSlow(CHUNK);

  constructor(private readonly open: (donor: number) => number) {}

  of(donor: number): number {
    const fd = this.#open.get(donor) ?? this.open(donor);
    this.#open.set(donor, fd);
    return fd;
  }

  *read(donor: number, start: number, length: number): Generator<Uint8Array> {
    for (let done = 0; done < length; ) {
      const count = readSync(this.of(donor), this.#buffer, 0, Math.min(CHUNK, length - done), start + done);
      if (count === 0) throw wrong("a layer of the store is shorter than its table says");
      done += count;
      yield this.#buffer.subarray(0, count);
    }
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open.values()) closeSync(fd);
  }
}
