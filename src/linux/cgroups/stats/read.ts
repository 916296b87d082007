/** Reading the files of a cgroup: numbers, lists of numbers, tables of keys and values. */
import type { TryRead } from "../prepare.ts";
import type { Count, Pressure, PressureLine } from "./types.ts";

/** What `max` stands for, as a number of 64 bits. */
export const UNLIMITED: Count = 2n ** 64n - 1n;

/** Files of one cgroup directory; undefined for one that is not there. */
export interface Files {
  text(name: string): string | undefined;
  count(name: string): Count | undefined;
  /** Lines `key value`, by key. */
  table(name: string): Readonly<Record<string, Count>> | undefined;
}

/** The files of a directory, read when they are asked for; of none all are missing. */
export function filesOf(directory: string | undefined, read: TryRead): Files {
  const text = (name: string): string | undefined =>
    directory === undefined ? undefined : read(`${directory}/${name}`)?.trim();
  return {
    text,
    count: (name) => countOf(text(name)),
    table: (name) => tableOf(text(name)),
  };
}

function countOf(text: string | undefined): Count | undefined {
  if (text === undefined || text === "") return undefined;
  return text === "max" ? UNLIMITED : BigInt(text);
}

function tableOf(text: string | undefined): Readonly<Record<string, Count>> | undefined {
  if (text === undefined) return undefined;
  const rows = text.split("\n").map((line) => line.split(" "));
  return Object.fromEntries(rows.flatMap(([key = "", value]) => (value === undefined ? [] : [[key, BigInt(value)]])));
}

/** Zero is left out, as the shape has it. */
export function unlessZero<Name extends string>(name: Name, value: Count = 0n): { readonly [Key in Name]?: Count } {
  return (value === 0n ? {} : { [name]: value }) as { readonly [Key in Name]?: Count };
}

/** A part is there only where something in it is. */
export function unlessEmpty<Name extends string, Part extends object>(
  name: Name,
  part: Part,
): { readonly [Key in Name]?: Part } {
  const isEmpty = Object.values(part).every((value) => value === undefined || value === 0n);
  return (isEmpty ? {} : { [name]: part }) as { readonly [Key in Name]?: Part };
}

/** Lines such as `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`. Absent where the kernel keeps none. */
export function pressureOf(text: string | undefined): { readonly psi?: Pressure } {
  if (text === undefined || text === "") return {};
  const lines = text.split("\n").map((line): [string, PressureLine] => {
    const [kind = "", ...fields] = line.split(" ");
    const values: Readonly<Record<string, string>> = Object.fromEntries(fields.map((field) => field.split("=")));
    const { avg10, avg60, avg300, total = "0" } = values;
    return [kind, { avg10: Number(avg10), avg60: Number(avg60), avg300: Number(avg300), total: BigInt(total) }];
  });
  return { psi: Object.fromEntries(lines) };
}
