/**
 * Keeps the first failure among tasks that work together. It ends the others by {@link FirstFailure.signal}, and theirs, which
 * follow from it, are not what the caller wants to hear of.
 */
export class FirstFailure {
  readonly #stop = new AbortController();
  #failure: { readonly reason: unknown } | undefined;
  /** Aborted by the caller's own signal, or by the first failure. */
  readonly signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  /** The task itself; its failure counts. It never goes unhandled. */
  watch<T>(task: Promise<T>): Promise<T> {
    task.catch((reason: unknown) => {
      this.#failure ??= { reason };
      this.#stop.abort(reason);
    });
    return task;
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.reason;
  }
}
