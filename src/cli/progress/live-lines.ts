/** Where live lines are drawn. */
export interface Screen {
  write(text: string): void;
  /** undefined where it is not known. */
  size(): { readonly rows: number; readonly columns: number } | undefined;
}

const fallback = { rows: 24, columns: 80 };

/**
 * Lines at the end of a terminal that are drawn again in place. Each frame is one write, clears as it goes and never hides the
 * cursor, so that nothing flickers and nothing needs repair when the program is stopped.
 */
export class LiveLines {
  /** Widths of the lines of the last frame: a narrower window has wrapped them. */
  #drawn: readonly number[] = [];

  constructor(readonly screen: Screen) {}

  /** The size to draw for; one column stays free, since some terminals wrap when the last one is used. */
  size(): { readonly rows: number; readonly columns: number } {
    const { rows, columns } = this.screen.size() ?? fallback;
    return { rows, columns: Math.max(1, columns - 1) };
  }

  /** Replaces the last frame by these lines; they must fit into the size. */
  draw(lines: readonly string[]): void {
    this.screen.write(`${this.#back()}${lines.map((line) => `${line}\x1b[K\n`).join("")}\x1b[J`);
    this.#drawn = lines.map((line) => line.length);
  }

  /** Writes text above the frame, for good; the next frame is drawn below it. */
  print(text: string): void {
    this.screen.write(`${this.#back()}\x1b[J${text}`);
    this.#drawn = [];
  }

  /** Moves to the first column of the last frame's first line. */
  #back(): string {
    const columns = (this.screen.size() ?? fallback).columns;
    const up = this.#drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    return up === 0 ? "" : `\r\x1b[${up}A`;
  }
}
