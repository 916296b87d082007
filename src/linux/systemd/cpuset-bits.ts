import { isNumberList, numbersOf } from "../../spec/number-list.ts";

/** CPUs or memory nodes as systemd takes them, a bit each with the lowest first: `0,2-3` is 0x0d. Throws RangeError for what is no list. */
export function cpusetBits(list: string): Uint8Array {
  const numbers = list.split(",").flatMap((part) => rangeOf(part.trim()));
  if (numbers.length === 0) throw new RangeError("the list is empty");
  const bits = new Uint8Array((Math.max(...numbers) >> 3) + 1);
  for (const number of numbers) bits[number >> 3] = (bits[number >> 3] ?? 0) | (1 << (number & 7));
  return bits;
}

/** systemd knows no groups of numbers, as `0-7:1/2`. */
function rangeOf(part: string): readonly number[] {
  if (part === "") return [];
  if (/^[\d-]+$/.test(part) && isNumberList(part)) return numbersOf(part);
  throw new RangeError(`no list of numbers: ${JSON.stringify(part)}`);
}
