/** Words beyond the width are allowed to end a line rather than to stand alone on the next one. */
const SLOP = 5;
const LEAST_WIDTH = 24;

/**
 * Text broken into lines of about `width` columns, each but the first indented by `indent` columns; the line breaks that
 * the text has are kept. Text is left unbroken where less than 24 columns remain.
 */
export function wrapText(text: string, indent: number, width: number): string {
  const room = width - indent - SLOP;
  const pad = `\n${" ".repeat(indent)}`;
  if (room + SLOP < LEAST_WIDTH) return text.replaceAll("\n", pad);
  return text
    .split("\n")
    .flatMap((line) => breakLine(line, room))
    .join(pad);
}

function breakLine(line: string, room: number): string[] {
  const lines: string[] = [];
  let rest = line;
  while (rest.length >= room + SLOP) {
    const at = rest.lastIndexOf(" ", room - 1);
    if (at <= 0 || rest.slice(0, at).trim() === "") break;
    lines.push(rest.slice(0, at));
    rest = rest.slice(at + 1);
  }
  return [...lines, rest];
}
