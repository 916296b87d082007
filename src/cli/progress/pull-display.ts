import type { PullEvent } from "../../image/types.ts";
import { drawLine, LayerBoard } from "./layer-board.ts";
import { LiveLines, type Screen } from "./live-lines.ts";

/** Shows how a pull goes on. */
export interface PullDisplay {
  event(event: PullEvent): void;
  /** Nothing more comes; what is still to be drawn is drawn. */
  close(): void;
}

/** Between two frames, in milliseconds. */
const FRAME_MS = 80;

/** A line for each change, for files and pipes. */
export function plainDisplay(write: (text: string) => void): PullDisplay {
  const board = new LayerBoard();
  const announced = new Set<string>();
  return {
    event(event) {
      if (event.kind === "resolved") write(resolvedLine(event));
      const line = board.apply(event);
      if (line === undefined) return;
      if (!announced.has(line.id) && !line.done) write(`${line.id}: Pulling fs layer\n`);
      announced.add(line.id);
      if (line.done || line.text.startsWith("Download complete") || line.text.startsWith("Retrying")) {
        write(`${line.id}: ${line.text}\n`);
      }
    },
    close() {},
  };
}

/** Lines with bars that change in place, for a terminal. */
export function liveDisplay(screen: Screen): PullDisplay {
  const board = new LayerBoard();
  const live = new LiveLines(screen);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const draw = (last: boolean) => {
    timer = undefined;
    const { rows, columns } = live.size();
    const lines = last ? board.lines : board.visible(rows - 1);
    live.draw(lines.map((line) => (typeof line === "string" ? line.slice(0, columns) : drawLine(line, columns))));
  };
  return {
    event(event) {
      if (event.kind === "resolved") live.print(resolvedLine(event));
      board.apply(event);
      if (board.lines.length > 0) timer ??= setTimeout(() => draw(false), FRAME_MS);
    },
    close() {
      clearTimeout(timer);
      if (board.lines.length > 0) draw(true);
    },
  };
}

function resolvedLine({ name, tag }: Extract<PullEvent, { kind: "resolved" }>): string {
  return `${tag}: Pulling from ${name}\n`;
}
