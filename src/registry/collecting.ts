import { type GalleyError, toGalleyError } from "../errors.ts";
import type { RegistryStore } from "./store/registry-store.ts";
import { UPLOAD_LIFE } from "./store/uploads.ts";

/** Times in milliseconds. */
export interface CollectingOptions {
  /** From the end of one collection to the next. */
  readonly every: number;
  /** What is younger stays; longer than any push takes from its first blob to its manifest. */
  readonly olderThan: number;
  readonly untagged: boolean;
}

/** Collects garbage again and again in the process that serves the storage. */
export class Collecting {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: RegistryStore,
    private readonly options: CollectingOptions,
    private readonly onFailure: (failure: GalleyError) => void = () => undefined,
  ) {
    this.#wait();
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#collect();
    }, this.options.every);
  }

  async #collect(): Promise<void> {
    const now = Date.now();
    const { olderThan, untagged } = this.options;
    try {
      const { collectGarbage } = await import("./collect.ts");
      await collectGarbage(this.store, { before: now - olderThan, untagged, uploadsBefore: now - UPLOAD_LIFE });
    } catch (failure) {
      this.onFailure(toGalleyError(failure, { op: "collect garbage" }));
    }
    if (this.#timer !== undefined) this.#wait();
  }

  /** No more of them; resolves when the one that is under way has ended. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#running;
  }
}
