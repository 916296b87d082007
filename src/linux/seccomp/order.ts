/**
 * In which order the conditional rules of one call are tried. It matters only where rules with different actions can hold for the
 * same arguments; the order is libseccomp's, whatever the order in the configuration: later arguments before earlier ones, equality
 * before "less" before "greater", the larger number before the smaller (the smaller first among "less").
 */
import type { Comparison, Condition } from "./conditions.ts";
import type { Branch } from "./verdicts.ts";

const rank: Readonly<Record<Comparison, number>> = { masked: 3, eq: 3, ne: 3, le: 2, lt: 2, ge: 1, gt: 1 };

/** One 32-bit comparison of a condition; a condition on a 64-bit argument is compared word by word. */
interface Word {
  readonly place: number;
  readonly rank: number;
  readonly value: number;
  /** What the comparison is carried out as: words that differ in it are different, though neither comes first. */
  readonly kind: string;
}

/** The branches in the order in which they are to be tried. */
export function inOrder(branches: readonly Branch[]): readonly Branch[] {
  const first = branches[0]?.action;
  if (branches.every(({ action }) => action === first)) return branches;
  const sorted: { readonly branch: Branch; readonly words: readonly Word[] }[] = [];
  for (const branch of branches) {
    const words = branch.conditions.flatMap(wordsOf);
    const before = sorted.findIndex((other) => comesBefore(words, other.words));
    sorted.splice(before < 0 ? sorted.length : before, 0, { branch, words });
  }
  return sorted.map(({ branch }) => branch);
}

function wordsOf(one: Condition): Word[] {
  const base = { rank: rank[one.op] };
  const isOrdered = base.rank < 3;
  const low = { ...base, place: one.arg * 2, value: one.low, kind: `${lowKind(one)} ${one.maskLow}` };
  if (!one.wide) return [low];
  const high = {
    ...base,
    place: one.arg * 2 + 1,
    value: one.high,
    kind: `${isOrdered ? "gt" : highKind(one)} ${one.maskHigh}`,
  };
  return [high, low];
}

function highKind(one: Condition): string {
  return one.op === "masked" ? "masked" : "eq";
}

function lowKind(one: Condition): string {
  if (one.op === "ne") return "eq";
  if (one.op === "lt") return "ge";
  return one.op === "le" ? "gt" : one.op;
}

function comesBefore(words: readonly Word[], others: readonly Word[]): boolean {
  for (const [index, word] of words.entries()) {
    const other = others[index];
    if (other === undefined) return true; // the longer chain is the narrower rule
    const difference = word.place - other.place || word.rank - other.rank || valueOrder(word, other);
    if (difference !== 0) return difference > 0;
    if (word.kind !== other.kind) return false;
  }
  return false;
}

function valueOrder(word: Word, other: Word): number {
  return word.rank === 2 ? other.value - word.value : word.value - other.value;
}
