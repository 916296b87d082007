/** CPUs or memory nodes as systemd takes them, a bit each with the lowest first: `0,2-3` is 0x0d. Throws RangeError for what is no list. */
export function cpusetBits(list: string): Uint8Array {
  const numbers = list.split(",").flatMap((part) => rangeOf(part.trim()));
  if (numbers.length === 0) throw new RangeError("the list is empty");
  const bits = new Uint8Array((Math.max(...numbers) >> 3) + 1);
  for (const number of numbers) bits[number >> 3] = (bits[number >> 3] ?? 0) | (1 << (number & 7));
  return bits;
}

function rangeOf(part: string): number[] {
  if (part === "") return [];
  const found = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part);
  const [first, last] = [Number(found?.[1]), Number(found?.[2] ?? found?.[1])];
  if (found === null || first > last) throw new RangeError(`no list of numbers: ${JSON.stringify(part)}`);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
