import { type FSWatcher, mkdirSync, watch } from "node:fs";
import { dirname } from "node:path";
import { LogFile, numberedPath } from "./log-file.ts";

/** What is written to a log from now on. Waits for the kernel to tell of changes in the log's directory; nothing is polled. */
export class LogFollower implements Disposable {
  readonly #watcher: FSWatcher;
  readonly #timer: Timer | undefined;
  #changed = Promise.withResolvers<void>();
  #over = false;
  #current: LogFile | undefined;

  /** @param until Unix seconds after which nothing more is of interest */
  constructor(
    private readonly path: string,
    ended: Promise<unknown>,
    until?: number,
  ) {
    const directory = dirname(path);
    mkdirSync(directory, { recursive: true });
    this.#watcher = watch(directory, () => this.#changed.resolve());
    const end = () => {
      this.#over = true;
      this.#changed.resolve();
    };
    void ended.then(end, end);
    this.#timer = until === undefined ? undefined : setTimeout(end, Math.max(0, until * 1000 - Date.now()));
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
    clearTimeout(this.#timer);
    this.#current?.[Symbol.dispose]();
    this.#current = undefined;
  }

  /** Lines after those that `from` has given; it belongs to the follower from now on. Without it, all lines of a file to come. */
  async *read(from: LogFile | undefined): AsyncGenerator<readonly string[]> {
    this.#current = from;
    for (;;) {
      const over = this.#over;
      yield* this.#drain();
      if (over) return;
      await this.#changed.promise;
      this.#changed = Promise.withResolvers();
    }
  }

  /** Everything that is there. A file that has been rotated away is finished: what is read after seeing that is all there will be. */
  *#drain(): Generator<readonly string[]> {
    for (;;) {
      this.#current ??= LogFile.open(this.path);
      const file = this.#current;
      if (file === undefined) return;
      const rotated = !file.isAt(this.path);
      for (let texts = file.next(); texts.length > 0; texts = file.next()) yield texts;
      if (!rotated) return;
      this.#current = this.#successor(file);
      file[Symbol.dispose]();
    }
  }

  /** The file that was begun after this one; the oldest where this one is gone already. */
  #successor(file: LogFile): LogFile | undefined {
    let oldest = 0;
    for (let number = 1, missing = 0; missing < 2; number++) {
      const path = numberedPath(this.path, number);
      if (file.isAt(path)) return LogFile.open(numberedPath(this.path, number - 1));
      const there = LogFile.open(path);
      if (there === undefined) missing += 1;
      else oldest = number;
      there?.[Symbol.dispose]();
    }
    return LogFile.open(numberedPath(this.path, oldest));
  }
}
