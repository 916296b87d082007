/** A whole archive parsed at once, for tests. */
import type { TarEntry } from "./entry.ts";
import { TarParser } from "./parser.ts";

/** An entry and its content, by place in the file. */
export interface Found {
  readonly entry: TarEntry;
  readonly parts: (readonly [offset: number, text: string])[];
}

/** All entries of an archive that comes in chunks of the given size. */
export function parse(bytes: Uint8Array, chunk = bytes.length): Found[] {
  const found: Found[] = [];
  const parser = new TarParser({
    entry: (entry) => found.push({ entry, parts: [] }),
    data: (data, offset) => found.at(-1)?.parts.push([offset, Buffer.from(data).toString()]),
    end: () => undefined,
  });
  for (let at = 0; at < bytes.length; at += chunk) parser.push(bytes.subarray(at, at + chunk));
  parser.finish();
  return found;
}
