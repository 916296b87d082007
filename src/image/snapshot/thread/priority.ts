import { constants, getPriority, setPriority } from "node:os";

/** What a thread that steps aside adds to its niceness (sched(7)): it gets a tenth of what one beside it gets. */
const ASIDE = 10;

/** The scheduling priority of the calling thread, whose niceness is its own on Linux (setpriority(2)). */
export class Priority {
  readonly #usual = getPriority();
  #aside = false;

  /** Whether others go first. Without privileges there is no way back, which is no failure: the work is done all the same. */
  set(aside: boolean): void {
    if (aside === this.#aside) return;
    this.#aside = aside;
    try {
      setPriority(Math.min(this.#usual + (aside ? ASIDE : 0), constants.priority.PRIORITY_LOW));
    } catch {
      // See above.
    }
  }
}
