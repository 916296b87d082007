import { GalleyError } from "../../errors.ts";
import { REMEDY } from "./remedy.ts";
import { type Expected, Verifier } from "./verifier.ts";

/** Passes a stream on and checks it; the fault comes after the last chunk, before the stream's end. */
export async function* verified(source: AsyncIterable<Uint8Array>, expected: Expected): AsyncGenerator<Uint8Array> {
  const verifier = new Verifier(expected);
  for await (const chunk of source) {
    verifier.update(chunk);
    yield chunk;
  }
  verifier.finish();
}

/** Checks content that is in memory. */
export function verifyBytes(content: Uint8Array, expected: Expected): void {
  const verifier = new Verifier(expected);
  verifier.update(content);
  verifier.finish();
}

/** Reads a whole stream of at most `cap` bytes into memory; a longer one is `resource_exhausted`, named as `what`. */
export async function readCapped(source: AsyncIterable<Uint8Array>, cap: number, what: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > cap) throw tooLarge(what, cap);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The refusal of something that says it is larger than `cap` bytes. */
export function tooLarge(what: string, cap: number): GalleyError {
  return new GalleyError("resource_exhausted", `it is larger than the ${cap} bytes that are accepted`, {
    op: "read",
    subject: what,
    hint: REMEDY,
  });
}
