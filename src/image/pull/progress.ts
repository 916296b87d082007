import type { Descriptor } from "../../spec/image.ts";
import { shortDigest } from "../digest.ts";
import type { Retry } from "../transports/transport.ts";
import type { LayerStatus, PullEvent } from "../types.ts";

/** Milliseconds between two reports on one layer: a display cannot show more, and each costs time. */
const INTERVAL = 100;

/** Reports on one layer, thinned out. */
export class LayerProgress {
  readonly #id: string;
  #next = { downloading: 0, extracting: 0 };

  constructor(
    private readonly layer: Descriptor,
    private readonly emit: (event: PullEvent) => void,
  ) {
    this.#id = shortDigest(layer.digest);
  }

  status(status: LayerStatus): void {
    this.emit({ kind: "layer", id: this.#id, status, total: this.layer.size });
  }

  downloading(current: number): void {
    if (this.#isDue("downloading")) this.emit({ kind: "downloading", id: this.#id, current, total: this.layer.size });
  }

  /** So many bytes of the blob need not be fetched. */
  skipping(bytes: number): void {
    this.emit({ kind: "skipping", id: this.#id, bytes, total: this.layer.size });
  }

  extracting(current: number): void {
    if (this.#isDue("extracting")) this.emit({ kind: "extracting", id: this.#id, current });
  }

  retrying({ seconds, reason }: Retry): void {
    this.emit({ kind: "retrying", id: this.#id, seconds, reason });
  }

  #isDue(what: "downloading" | "extracting"): boolean {
    const now = performance.now();
    if (now < this.#next[what]) return false;
    this.#next[what] = now + INTERVAL;
    return true;
  }
}
