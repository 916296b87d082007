import { type Frame, Numbers } from "./frame-list.ts";

/** Frames that are kept in mind. */
const MOST_FRAMES = 200_000;

/** Where frames of several blobs lie, by their keys; each has a number, and there is no number -1. */
export class FrameIndex {
  /** By key the frame that was added last. */
  readonly #byKey = new Map<number, number>();
  readonly #donor = new Numbers();
  readonly #start = new Numbers();
  readonly #length = new Numbers();
  readonly #other = new Numbers();

  /** Adds a blob's frames, as far as there is room. */
  add(donor: number, frames: Iterable<Frame>): void {
    for (const { start, end, key } of frames) {
      if (this.#donor.length >= MOST_FRAMES) return;
      const other = this.find(key);
      if (other >= 0 && this.donor(other) === donor) continue; // Twice in one blob is once too often.
      this.#byKey.set(key, this.#donor.length);
      this.#donor.push(donor);
      this.#start.push(start);
      this.#length.push(end - start);
      this.#other.push(other);
    }
  }

  /** A frame with this key, or -1. */
  find(key: number): number {
    return this.#byKey.get(key) ?? -1;
  }

  /** Another frame with the same key, in another blob, or -1. */
  other(frame: number): number {
    return this.#other.at(frame);
  }

  /** The number of the blob that a frame is in. */
  donor(frame: number): number {
    return this.#donor.at(frame);
  }

  /** Its first byte there, and how many they are. */
  place(frame: number): { readonly start: number; readonly length: number } {
    return { start: this.#start.at(frame), length: this.#length.at(frame) };
  }
}
