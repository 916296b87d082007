import { constants, getPriority, setPriority } from "node:os";

const { PRIORITY_LOW } = constants.priority;

/**
 * The scheduling priority of the calling thread, whose niceness is its own on Linux (setpriority(2)). Who steps aside gets next to nothing
 * while others want the processors; nobody does so who could not come back, which takes CAP_SYS_NICE.
 */
export class Priority {
  readonly #usual = getPriority();
  readonly #comesBack = this.#try(Math.min(this.#usual + 1, PRIORITY_LOW)) && this.#try(this.#usual);
  #aside = false;

  /** Whether others go first. */
  set(aside: boolean): void {
    if (aside === this.#aside || !this.#comesBack) return;
    this.#aside = aside;
    this.#try(aside ? PRIORITY_LOW : this.#usual);
  }

  #try(niceness: number): boolean {
    try {
      setPriority(niceness);
      return true;
    } catch {
      return false;
    }
  }
}
