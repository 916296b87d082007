/** The part of Bun that the OCI runtime uses. */
import { bufferFrom, hexOf, LeanBuffer } from "./buffer.ts";
import { spawn } from "./spawn.ts";
import { sleep } from "./time.ts";

class CryptoHasher {
  private readonly parts: Uint8Array[] = [];

  constructor(algorithm: string) {
    if (algorithm !== "sha256") throw new Error(`no ${algorithm} here`);
  }

  update(content: string | Uint8Array): this {
    this.parts.push(typeof content === "string" ? bufferFrom(content) : content);
    return this;
  }

  digest(): Uint8Array;
  digest(encoding: "hex"): string;
  digest(encoding?: "hex"): Uint8Array | string {
    const bytes = bufferFrom(system.sha256(LeanBuffer.concat(this.parts)));
    return encoding === undefined ? bytes : hexOf(bytes);
  }
}

export const Bun = {
  CryptoHasher,
  spawn,
  sleepSync: sleep,
  sleep: async (milliseconds: number): Promise<void> => sleep(milliseconds),
};
