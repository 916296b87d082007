/** Lists of numbers as the kernel writes CPUs and memory nodes: `0-3,7`, and `0-7:1/2` for the first of every two (cpuset(7)). */

const part = /^\s*([0-9]{1,5})(?:-([0-9]{1,5})(?::([0-9]{1,5})\/([0-9]{1,5}))?)?\s*$/;

/** Whether a text is such a list. Five digits are more than the kernel has CPUs (8192) or memory nodes (1024). */
export function isNumberList(text: string): boolean {
  return text.split(",").every((piece) => {
    const [, first, last = first] = part.exec(piece) ?? [];
    return first !== undefined && Number(first) <= Number(last);
  });
}

/** The numbers that a list names, each once, ascending; none for an empty text. It must be a list. */
export function numbersOf(text: string): readonly number[] {
  if (text === "") return [];
  if (!isNumberList(text)) throw new RangeError(`not a list of numbers: ${text}`);
  const numbers = new Set<number>();
  for (const piece of text.split(",")) {
    const [, first, last = first, used = 1, group = 1] = (part.exec(piece) ?? []).map(maybeNumber);
    for (let number = first ?? 0; number <= (last ?? -1); number += 1) {
      if ((number - (first ?? 0)) % group < used) numbers.add(number);
    }
  }
  return [...numbers].sort((a, b) => a - b);
}

function maybeNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** The numbers as a bit mask: bit N of byte N / 8, in whole words of 64 bits, as sched_setaffinity(2) and set_mempolicy(2) take it. */
export function numberMask(text: string): Uint8Array {
  const numbers = numbersOf(text);
  const mask = new Uint8Array(Math.ceil(((numbers.at(-1) ?? -1) + 1) / 64) * 8);
  for (const bit of numbers) mask[bit >> 3] = (mask[bit >> 3] ?? 0) | (1 << (bit & 7));
  return mask;
}
