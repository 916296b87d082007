import type { Flag, FlagSet } from "./flag.ts";
import { wrapText } from "./wrap.ts";

/** The lines that help has for a set of flags: names aligned, explanations wrapped at `width` columns. */
export function describeFlags(flags: FlagSet, width: number): string {
  const shown = Object.entries(flags)
    .filter(([, flag]) => flag.hidden !== true)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const heads = shown.map(([name, flag]) => head(name, flag));
  const indent = Math.max(0, ...heads.map((text) => text.length)) + 3;
  const lines = shown.map(([, flag], index) => {
    return `${(heads[index] ?? "").padEnd(indent)}${wrapText(explanation(flag), indent, width)}`;
  });
  return lines.join("\n");
}

function head(name: string, flag: Flag<unknown>): string {
  const short = flag.short === undefined ? "      " : `  -${flag.short}, `;
  return `${short}--${name}${flag.type === "" ? "" : ` ${flag.type}`}`;
}

function explanation(flag: Flag<unknown>): string {
  return flag.shownDefault === undefined ? flag.usage : `${flag.usage} (default ${flag.shownDefault})`;
}
