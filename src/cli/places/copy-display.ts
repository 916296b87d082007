import type { CopyEvent } from "../../image/copy/copy.ts";
import { shortDigest } from "../../image/digest.ts";
import type { Cli } from "../cli.ts";
import { drawLine, type LayerLine } from "../progress/layer-board.ts";
import { LiveLines } from "../progress/live-lines.ts";

/** Shows how a copy goes on. */
export interface CopyDisplay {
  event(event: CopyEvent): void;
  close(): void;
}

const FRAME_MS = 100;

/** skopeo's lines on standard output; with bars that change in place where that is a terminal. */
export async function copyDisplay(cli: Cli): Promise<CopyDisplay> {
  if (!cli.isTerminal(1)) return plainDisplay(cli);
  const { windowSize } = await import("../terminal/termios.ts");
  return liveDisplay(new LiveLines({ write: (text) => cli.out(text), size: () => windowSize(1) }));
}

function heading(event: CopyEvent, write: (text: string) => void): void {
  if (event.kind === "image") {
    if (event.position === 1) write(`Copying ${event.count} images generated from ${event.count} images in list\n`);
    write(`Copying image ${event.digest} (${event.position}/${event.count})\n`);
  }
  if (event.kind === "document") write("Writing manifest to image destination\n");
  if (event.kind === "signing") write(`Creating signature: ${event.what}\n`);
  if (event.kind === "signatures") write("Storing signatures\n");
}

function plainDisplay(cli: Cli): CopyDisplay {
  return {
    event(event) {
      heading(event, (text) => cli.out(text));
      if (event.kind !== "blob") return;
      const what = event.what === "config" ? "config" : "blob";
      if (event.status === "started") cli.out(`Copying ${what} ${event.digest}\n`);
      else if (event.status !== "copied") cli.out(`Copying ${what} ${event.digest} skipped: ${reason(event.status)}\n`);
    },
    close() {},
  };
}

function reason(status: "present" | "mounted" | "skipped"): string {
  return { present: "already exists", mounted: "mounted from the source", skipped: "foreign layer" }[status];
}

function liveDisplay(live: LiveLines): CopyDisplay {
  const lines = new Map<string, LayerLine>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const draw = () => {
    timer = undefined;
    const { rows, columns } = live.size();
    const shown = [...lines.values()].sort((a, b) => Number(b.done) - Number(a.done)).slice(-(rows - 1));
    live.draw(shown.map((line) => drawLine(line, columns)));
  };
  const settle = () => {
    clearTimeout(timer);
    if (lines.size > 0) draw();
  };
  return {
    event(event) {
      if (
        event.kind === "image" ||
        event.kind === "document" ||
        event.kind === "signing" ||
        event.kind === "signatures"
      ) {
        settle();
        heading(event, (text) => live.print(text));
        lines.clear();
        return;
      }
      const line = lineOf(event, lines.get(event.digest));
      if (line !== undefined) lines.set(event.digest, line);
      timer ??= setTimeout(draw, FRAME_MS);
    },
    close: settle,
  };
}

function lineOf(event: CopyEvent, before: LayerLine | undefined): LayerLine | undefined {
  if (event.kind === "progress") return before && { ...before, text: "", current: event.current, total: event.size };
  if (event.kind === "retrying") return before && { ...before, text: `waiting ${event.seconds} s: ${event.reason}` };
  if (event.kind !== "blob") return undefined;
  const id = `Copying ${event.what === "config" ? "config" : "blob"} ${shortDigest(event.digest)}`;
  if (event.status === "started") return { id, text: "", done: false, current: 0, total: event.size };
  return { id, text: event.status === "copied" ? "done" : `skipped: ${reason(event.status)}`, done: true };
}
