import type { TarEntry } from "./entry.ts";
import { TarParser } from "./parser.ts";

/** One entry with its content, which is to be read before the next entry is asked for; what is not read is skipped. */
export interface TarMember {
  readonly entry: TarEntry;
  /** Bytes of the file in order, holes as zeros. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Longest piece of zeros that stands for a hole. */
const ZEROS = 65536;

type Event =
  | { readonly kind: "entry"; readonly entry: TarEntry }
  | { readonly kind: "data"; readonly bytes: Uint8Array; readonly offset: number }
  | { readonly kind: "end" };

/**
 * Entries of an archive, one by one, in memory bounded by one chunk of the source. For large trees use {@link TarParser} itself,
 * which does without promises.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarMember, void, undefined> {
  const events = new Events(source);
  try {
    for (let event = await events.next(); event !== undefined; event = await events.next()) {
      if (event.kind === "entry") yield { entry: event.entry, body: body(events, event.entry.size) };
    }
  } finally {
    await events.close();
  }
}

async function* body(events: Events, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0;
  for (;;) {
    if (events.peek()?.kind === "entry") return;
    const event = await events.next();
    if (event?.kind !== "data") break;
    yield* zeros(event.offset - at);
    yield event.bytes;
    at = event.offset + event.bytes.length;
  }
  yield* zeros(size - at);
}

function* zeros(length: number): Generator<Uint8Array> {
  for (let left = length; left > 0; left -= ZEROS) yield new Uint8Array(Math.min(left, ZEROS));
}

/** What the parser reports, as a queue that is refilled by the next chunk of the source. */
class Events {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #parser: TarParser;
  #queue: Event[] = [];
  #at = 0;
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
    this.#parser = new TarParser({
      entry: (entry) => this.#queue.push({ kind: "entry", entry }),
      data: (bytes, offset) => this.#queue.push({ kind: "data", bytes, offset }),
      end: () => this.#queue.push({ kind: "end" }),
    });
  }

  peek(): Event | undefined {
    return this.#queue[this.#at];
  }

  async next(): Promise<Event | undefined> {
    while (this.#at >= this.#queue.length && !this.#ended) await this.#refill();
    return this.#queue[this.#at++];
  }

  /** Lets the source go, which may not be at its end. */
  async close(): Promise<void> {
    if (!this.#ended) await this.#source.return?.();
  }

  async #refill(): Promise<void> {
    this.#queue = [];
    this.#at = 0;
    const chunk = await this.#source.next();
    if (chunk.done === true) {
      this.#ended = true;
      this.#parser.finish();
    } else this.#parser.push(chunk.value);
  }
}
