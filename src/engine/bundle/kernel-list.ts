/** The kernel's lists of numbers (cpuset(7), "List format"): `0-3,8`. */

const MAX_NUMBER = 8192;

/** The part of a list that is none; undefined for a well-formed one. */
export function listProblem(text: string): string | undefined {
  const isGood = (part: string): boolean => {
    const match = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(part);
    const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    return match !== null && first <= last && last < MAX_NUMBER;
  };
  return text.split(",").every(isGood) ? undefined : text;
}

/** The numbers of a well-formed list, ascending. */
export function parseKernelList(text: string): readonly number[] {
  const numbers = new Set<number>();
  for (const part of text.trim().split(",").filter(Boolean)) {
    const [first = 0, last = first] = part.split("-").map(Number);
    for (let number = first; number <= last; number++) numbers.add(number);
  }
  return [...numbers].sort((a, b) => a - b);
}
