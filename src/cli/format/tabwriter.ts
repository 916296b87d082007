/** Settings of docker's tables; both in columns of text. */
export interface TableShape {
  /** Least width of a column, its padding counted. */
  readonly least: number;
  readonly padding: number;
}

/** How lists are printed. */
export const listShape: TableShape = { least: 10, padding: 3 };

/**
 * Aligns text whose cells end with tabs, as Go's text/tabwriter does: a column is a run of neighbouring lines that have a cell
 * there, wide enough for its widest cell. What follows a line's last tab belongs to no column.
 */
export function alignTabs(text: string, shape: TableShape = listShape): string {
  const lines = text.split("\n").map((line) => line.split("\t"));
  const widths = lines.map((): number[] => []);
  const deepest = lines.reduce((most, cells) => Math.max(most, cells.length - 1), 0);
  for (let column = 0; column < deepest; column++) measureColumn(lines, widths, column, shape);
  return lines.map((cells, row) => alignLine(cells, widths[row] ?? [])).join("\n");
}

function measureColumn(
  lines: readonly string[][],
  widths: readonly number[][],
  column: number,
  shape: TableShape,
): void {
  let start = 0;
  const has = (row: number) => (lines[row]?.length ?? 0) - 1 > column;
  while (start < lines.length) {
    let end = start;
    let width = shape.least;
    for (; has(end); end++) width = Math.max(width, textWidth(lines[end]?.[column] ?? "") + shape.padding);
    for (let row = start; row < end; row++) widths[row]?.push(width);
    start = end + 1;
  }
}

function alignLine(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => {
      const width = column < cells.length - 1 ? (widths[column] ?? 0) : 0;
      return cell + " ".repeat(Math.max(0, width - textWidth(cell)));
    })
    .join("");
}

/** Columns that the text takes on a terminal. */
function textWidth(text: string): number {
  return /^[\x20-\x7e]*$/.test(text) ? text.length : Bun.stringWidth(text);
}
