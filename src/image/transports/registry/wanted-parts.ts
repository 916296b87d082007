import { GalleyError } from "../../../errors.ts";
import type { BlobPart } from "../transport.ts";

/** Parts that are still to come, in order. */
export class WantedParts {
  readonly #parts: BlobPart[];
  /** Bytes that are still to come. */
  missing: number;

  constructor(parts: readonly BlobPart[]) {
    this.#parts = parts.filter(({ start, end }) => end > start).reverse();
    this.missing = this.#parts.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /** Whether all of them came. */
  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  /** Whether something is still to come that lies in one of these parts or before them. */
  missesAny(parts: readonly BlobPart[]): boolean {
    return (this.#parts.at(-1)?.start ?? Number.POSITIVE_INFINITY) < (parts.at(-1)?.end ?? 0);
  }

  /** The next of them, `count` at most. */
  next(count: number): readonly BlobPart[] {
    return this.#parts.slice(-count).reverse();
  }

  /** The next part, and those with but small holes before them, as one. */
  nextNear(hole: number): readonly BlobPart[] {
    const [first, ...others] = this.next(this.#parts.length);
    if (first === undefined) return [];
    let { end } = first;
    for (const part of others) {
      if (part.start - end > hole) break;
      end = part.end;
    }
    return [{ start: first.start, end }];
  }

  /** What is wanted of bytes that came, which may be more than was asked for, but not later than what is next. */
  *take(position: number, bytes: Uint8Array): Generator<Uint8Array> {
    const end = position + bytes.length;
    for (let next = this.#parts.at(-1); next !== undefined && next.start < end; next = this.#parts.at(-1)) {
      if (next.start < position) throw outOfOrder();
      const until = Math.min(next.end, end);
      this.#parts.pop();
      if (until < next.end) this.#parts.push({ start: until, end: next.end });
      this.missing -= until - next.start;
      yield bytes.subarray(next.start - position, until - position);
    }
  }
}

/** What is thrown for an answer that is not what was asked for. */
export function outOfOrder(): GalleyError {
  return new GalleyError("unavailable", "the registry sent other parts than it was asked for", { op: "download" });
}
