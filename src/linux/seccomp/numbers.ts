/**
 * System call numbers by name, per machine.
 *
 * A table is text: names in the order of their numbers, and a number wherever the count jumps (`a b 10 c` is a 0, b 1, c 10).
 * It is read on first use, some 50 microseconds each.
 */
import { aarch64 } from "./tables/aarch64.ts";
import { arm } from "./tables/arm.ts";
import { x32Absent, x32Moved } from "./tables/x32.ts";
import { x86 } from "./tables/x86.ts";
import { x86_64 } from "./tables/x86-64.ts";

export type Machine = "x86_64" | "x86" | "x32" | "aarch64" | "arm";

/** Set in the number of every x32 call: they share the x86-64 entry of the kernel. */
export const X32_BIT = 0x4000_0000;

const cache = new Map<Machine, ReadonlyMap<string, number>>();

/** The numbers of a machine as a filter sees them: x32's with their bit. */
export function syscallNumbers(machine: Machine): ReadonlyMap<string, number> {
  const known = cache.get(machine);
  if (known !== undefined) return known;
  const numbers = machine === "x32" ? x32Numbers() : parseTable(tables[machine]);
  cache.set(machine, numbers);
  return numbers;
}

const tables: Readonly<Record<Exclude<Machine, "x32">, string>> = { x86_64, x86, aarch64, arm };

function parseTable(text: string): Map<string, number> {
  const numbers = new Map<string, number>();
  let next = 0;
  for (const word of text.replaceAll("\n", " ").split(" ")) {
    if (word === "") continue;
    const first = word.charCodeAt(0);
    if (first >= 0x30 && first <= 0x39) next = Number(word);
    else numbers.set(word, next++);
  }
  return numbers;
}

/** x32 has x86-64's calls under the same numbers, but for those whose structures hold pointers or longs. */
function x32Numbers(): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const [name, number] of syscallNumbers("x86_64")) numbers.set(name, number + X32_BIT);
  for (const name of x32Absent.split(" ")) numbers.delete(name);
  for (const [name, number] of parseTable(x32Moved)) numbers.set(name, number + X32_BIT);
  return numbers;
}
