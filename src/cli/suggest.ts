/** The candidate nearest to what was typed, when it is near enough to be meant. */
export function nearest(typed: string, candidates: Iterable<string>): string | undefined {
  const most = Math.max(1, Math.floor(typed.length / 3));
  let best: string | undefined;
  let least = most + 1;
  for (const candidate of candidates) {
    const distance = editDistance(typed, candidate);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other (Damerau, restricted). */
export function editDistance(a: string, b: string): number {
  let older: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) row.push(cell(a, b, i, j, { row, above, older }));
    [older, above] = [above, row];
  }
  return above[b.length] ?? 0;
}

interface Rows {
  readonly row: readonly number[];
  readonly above: readonly number[];
  readonly older: readonly number[];
}

function cell(a: string, b: string, i: number, j: number, { row, above, older }: Rows): number {
  const same = a[i - 1] === b[j - 1];
  const plain = Math.min((row[j - 1] ?? 0) + 1, (above[j] ?? 0) + 1, (above[j - 1] ?? 0) + (same ? 0 : 1));
  const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
  return swapped ? Math.min(plain, (older[j - 2] ?? 0) + 1) : plain;
}
