/** What Bun and Node define globally, as far as the OCI runtime uses it. Imported before everything else. */
import { hexOf, LeanBuffer, randomBytes } from "./buffer.ts";
import { Bun } from "./bun.ts";
import { addMissing } from "./missing.ts";
import { process } from "./process.ts";
import { TextDecoder, TextEncoder } from "./text.ts";
import { monotonic } from "./time.ts";

/** A random UUID, version 4 (RFC 9562, section 5.4). */
function randomUUID(): string {
  const bytes = randomBytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const digits = hexOf(bytes);
  return [
    [0, 8],
    [8, 12],
    [12, 16],
    [16, 20],
    [20, 32],
  ]
    .map(([from, to]) => digits.slice(from, to))
    .join("-");
}

/** The web's class, for what a child has written. */
class Response {
  constructor(private readonly body: Uint8Array) {}

  async bytes(): Promise<Uint8Array> {
    return this.body;
  }
}

addMissing();
Object.assign(globalThis, {
  Buffer: LeanBuffer,
  Bun,
  Response,
  TextDecoder,
  TextEncoder,
  crypto: { randomUUID },
  performance: { now: monotonic },
  process,
});
