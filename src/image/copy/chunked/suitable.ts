import { posix } from "node:path";
import type { TarEntry } from "../../layers/tar/entry.ts";
import { BLOCK, numberField } from "../../layers/tar/fields.ts";

/** The last second of the year 9999: what comes later has no place in RFC 3339. */
const LATEST = 253_402_300_799;

/**
 * Tells archives that a table of contents can describe from those it cannot: a path that is there twice, a sparse file, a name that is not
 * UTF-8, a global header. Readers would refuse such a table; compressed without one, the layer is good.
 */
export class Suitability {
  readonly #seen = new Set<string>();

  /** @param before the bytes between the content of the entry before and this one's own */
  admits(entry: TarEntry, before: Buffer): boolean {
    const path = posix.normalize(entry.name).replace(/\/$/, "");
    if (this.#seen.has(path)) return false;
    this.#seen.add(path);
    const isText = entry.name.isWellFormed() && entry.linkName.isWellFormed();
    return isText && entry.segments === undefined && isDated(entry) && !hasGlobalHeader(entry, before);
  }
}

function isDated({ modified, accessed, changed }: TarEntry): boolean {
  return [modified, accessed, changed].every(
    (time) => time === undefined || (time.seconds >= 0 && time.seconds <= LATEST),
  );
}

/** Walks the headers before the entry's own, each with its content. */
function hasGlobalHeader(entry: TarEntry, before: Buffer): boolean {
  const start = entry.content - before.length;
  for (let at = Math.ceil(start / BLOCK) * BLOCK; at < entry.offset; ) {
    const block = before.subarray(at - start, at - start + BLOCK);
    if (block[156] === 0x67) return true;
    at += BLOCK * (1 + Math.ceil((numberField(block, 124, 12) ?? 0) / BLOCK));
  }
  return false;
}
