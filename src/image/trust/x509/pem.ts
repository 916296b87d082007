import { fromBase64 } from "../base64.ts";

/** One block of PEM (RFC 7468), without headers. */
export interface PemBlock {
  readonly label: string;
  readonly bytes: Buffer;
  /** What stands behind the line that ends it. */
  readonly rest: string;
}

/** The first block of a text; what stands before it is skipped. `undefined` where there is none. */
export function pemBlock(text: string): PemBlock | undefined {
  // No `-` is in the content: that keeps the search linear for hostile texts.
  const whole = /(?<![^\n])-----BEGIN ([^\n-]*)-----[ \t\r]*\n([A-Za-z0-9+/=\s]*)-----END \1-----[ \t\r]*(?:\n|$)/g;
  const found = whole.exec(text);
  const bytes = fromBase64((found?.[2] ?? "").replace(/[ \t]/g, ""));
  if (found === null || bytes === undefined) return undefined;
  return { label: found[1] ?? "", bytes, rest: text.slice(whole.lastIndex) };
}

/** The blocks of a text that has nothing behind its last one; `undefined` where it has. */
export function pemBlocks(text: string): readonly PemBlock[] | undefined {
  const blocks: PemBlock[] = [];
  for (let rest = text; rest !== ""; ) {
    const block = pemBlock(rest);
    if (block === undefined) return undefined;
    blocks.push(block);
    rest = block.rest;
  }
  return blocks;
}
