import type { Attachment } from "../../engine/types.ts";
import { enterRawMode } from "./raw-mode.ts";
import { type WindowSize, windowSize } from "./termios.ts";

/** Our terminal, held for a container's. */
export interface ContainerWindow {
  /** undefined where neither standard input nor output is a terminal. */
  size(): WindowSize | undefined;
  /**
   * Follows the size of the window, and makes the terminal raw where its input goes to the container. The result undoes both.
   */
  hold(attachment: Attachment, use: { readonly stdin: boolean; readonly redraw?: boolean }): Promise<() => void>;
}

/** @param terminal which of standard input and output are terminals */
export function containerWindow(terminal: { readonly input: boolean; readonly output: boolean }): ContainerWindow {
  const size = () => (terminal.output ? windowSize(1) : terminal.input ? windowSize(0) : undefined);
  const resize = async (attachment: Attachment, by = 0) => {
    const now = size();
    // The container may have ended meanwhile: then its window has no size to change.
    if (now !== undefined) await attachment.resize(now.rows + by, now.columns + by).catch(() => {});
  };
  return {
    size,
    async hold(attachment, { stdin, redraw }) {
      const raw = stdin && terminal.input ? enterRawMode(0) : undefined;
      const follow = () => void resize(attachment);
      process.on("SIGWINCH", follow);
      // A program draws itself anew when the size changes, not when it is told the same one again.
      if (redraw === true) await resize(attachment, 1);
      if (redraw === true) await resize(attachment);
      return () => {
        process.off("SIGWINCH", follow);
        raw?.restore();
      };
    },
  };
}
