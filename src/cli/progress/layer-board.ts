import type { PullEvent } from "../../image/types.ts";
import { humanSize } from "../format/units.ts";

/** What is known of a layer. `current` and `total` in bytes. */
export interface LayerLine {
  readonly id: string;
  readonly text: string;
  /** Nothing more will happen to it. */
  readonly done: boolean;
  readonly current?: number;
  readonly total?: number;
}

const statusTexts = {
  waiting: "Waiting",
  exists: "Already exists",
  downloaded: "Download complete",
  complete: "Pull complete",
} as const;

/** How far a pull has come: a line for each layer, in the order in which they were first heard of. */
export class LayerBoard {
  readonly #lines = new Map<string, LayerLine>();
  readonly #downloading = new Set<string>();
  /** What is said of layers that are not fetched whole, in podman's words. */
  readonly #skipped = new Map<string, string>();

  /** Takes one event in; returns the layer's line where it says something new beside numbers. */
  apply(event: PullEvent): LayerLine | undefined {
    if (event.kind === "skipping") this.#skipped.set(event.id, skipped(event));
    const line = this.#withSkipped(lineOf(event));
    if (line === undefined || this.#isAhead(event)) return undefined;
    const before = this.#lines.get(line.id);
    this.#lines.set(line.id, line);
    return before?.text === line.text ? undefined : line;
  }

  #withSkipped(line: LayerLine | undefined): LayerLine | undefined {
    const note = line?.text === statusTexts.downloaded ? this.#skipped.get(line.id) : undefined;
    return line === undefined || note === undefined ? line : { ...line, text: `${line.text} ${note}` };
  }

  /** A layer is unpacked while it arrives; until it has, what is left to arrive tells more. */
  #isAhead(event: PullEvent): boolean {
    if (event.kind === "downloading") this.#downloading.add(event.id);
    if (event.kind === "layer") this.#downloading.delete(event.id);
    return event.kind === "extracting" && this.#downloading.has(event.id);
  }

  get lines(): readonly LayerLine[] {
    return [...this.#lines.values()];
  }

  /**
   * The lines that fit into `rows`: where there are too many, those that are finished give way to a line that counts them.
   */
  visible(rows: number): readonly (LayerLine | string)[] {
    const all = this.lines;
    if (all.length <= rows) return all;
    const active = all.filter((line) => !line.done);
    const shown = active.slice(0, Math.max(0, rows - 1));
    return [...shown, `${all.length - active.length} of ${all.length} layers are complete`];
  }
}

function skipped({ bytes, total }: Extract<PullEvent, { kind: "skipping" }>): string {
  return `(skipped: ${humanSize(bytes, 4)} = ${((100 * bytes) / total).toFixed(2)}%)`;
}

function lineOf(event: PullEvent): LayerLine | undefined {
  switch (event.kind) {
    case "layer":
      return {
        id: event.id,
        text: statusTexts[event.status],
        done: event.status === "exists" || event.status === "complete",
      };
    case "downloading":
      return { id: event.id, text: "Downloading", done: false, current: event.current, total: event.total };
    case "extracting":
      return { id: event.id, text: "Extracting", done: false, current: event.current };
    case "retrying":
      return { id: event.id, text: `Retrying in ${event.seconds} seconds: ${event.reason}`, done: false };
    default:
      return undefined;
  }
}

const WIDEST_BAR = 50;
const NARROWEST_BAR = 10;

/** A layer's line, with a bar where its size is known and there is room; never wider than `columns`. */
export function drawLine(line: LayerLine, columns: number): string {
  const head = `${line.id}: ${line.text}`;
  if (line.current === undefined) return head.slice(0, columns);
  const numbers = line.total ? `${humanSize(line.current, 4)}/${humanSize(line.total, 4)}` : humanSize(line.current, 4);
  const room = Math.min(WIDEST_BAR, columns - head.length - numbers.length - 5);
  const bar = line.total && room >= NARROWEST_BAR ? ` [${drawBar(line.current / line.total, room)}]` : "";
  return `${head}${bar}  ${numbers}`.slice(0, columns);
}

/** `=====>    ` */
function drawBar(part: number, width: number): string {
  const filled = Math.max(0, Math.min(width, Math.floor(part * width)));
  const head = filled < width ? ">" : "";
  return `${"=".repeat(filled)}${head}`.padEnd(width);
}
