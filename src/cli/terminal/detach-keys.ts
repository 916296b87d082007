import { GalleyError } from "../../errors.ts";

/** ctrl-p ctrl-q, docker's own. */
export const defaultDetachKeys = "ctrl-p,ctrl-q";

/**
 * The bytes of a key sequence such as `ctrl-p,ctrl-q`, `a`, `ctrl-@,x`. Throws `invalid_argument` for anything else.
 * Keys are single characters, or `ctrl-` with a letter or one of `@ [ \ ] ^ _`.
 */
export function parseDetachKeys(text: string): Uint8Array {
  return Uint8Array.from(text.split(",").map((key) => keyByte(key, text)));
}

function keyByte(key: string, text: string): number {
  if (/^[\x21-\x7e]$/.test(key)) return key.charCodeAt(0);
  const control = /^ctrl-([a-zA-Z@[\\\]^_])$/.exec(key)?.[1];
  if (control !== undefined) return control.toUpperCase().charCodeAt(0) - 0x40;
  throw new GalleyError("invalid_argument", `invalid detach keys (${text}): unknown character: '${key}'`, {
    hint: "give keys separated by commas, as in ctrl-p,ctrl-q",
  });
}

/** Finds a key sequence in typed input. Keys that may begin it are held back until it is clear whether they do. */
export class DetachMatcher {
  #held = 0;

  constructor(readonly keys: Uint8Array) {}

  /** What to pass on of `input`, and whether the sequence was completed in it; what follows it then is dropped. */
  feed(input: Uint8Array): { readonly pass: Uint8Array; readonly detached: boolean } {
    if (this.#held === 0 && !input.includes(this.keys[0] ?? -1)) return { pass: input, detached: false };
    const pass: number[] = [];
    for (const byte of input) {
      while (byte !== this.keys[this.#held] && this.#held > 0) this.#release(pass);
      if (byte !== this.keys[this.#held]) pass.push(byte);
      else if (++this.#held === this.keys.length) return { pass: Uint8Array.from(pass), detached: true };
    }
    return { pass: Uint8Array.from(pass), detached: false };
  }

  /** Lets go of the oldest held keys until those left may begin the sequence again. */
  #release(pass: number[]): void {
    const held = this.keys.subarray(0, this.#held);
    for (let dropped = 1; dropped <= held.length; dropped++) {
      const rest = held.subarray(dropped);
      if (!rest.every((byte, index) => byte === this.keys[index])) continue;
      pass.push(...held.subarray(0, dropped));
      this.#held = rest.length;
      return;
    }
  }
}
