/**
 * Classic BPF, written from its end to its beginning: jumps only go forward, so that every target is there before the jump to it.
 *
 * A position is the number of instructions from it to the end. A conditional jump reaches 255 instructions; where a target is
 * farther, an unconditional jump, which has 32 bits, is put behind the conditional one.
 */

/** Opcodes: class | size or operation | mode or source (uapi/linux/bpf_common.h). */
export const bpf = {
  /** A = 32-bit word of seccomp_data at offset k. */
  load: 0x20,
  /** A &= k. */
  and: 0x54,
  jump: 0x05,
  jumpEqual: 0x15,
  jumpGreater: 0x25,
  jumpGreaterOrEqual: 0x35,
  return: 0x06,
} as const;

const REACH = 255;
/** A return farther away than this is repeated, as the instructions still to come before it might push it out of reach. */
const NEAR = 200;

export class Assembler {
  /** Two words per instruction, last instruction first: code | jt << 16 | jf << 24, then k. */
  readonly #words: number[] = [];
  /** The latest position of each returned value. */
  readonly #returns = new Map<number, number>();

  /** How many instructions there are. */
  get length(): number {
    return this.#words.length / 2;
  }

  /** Writes an instruction before all others; the result is its position. */
  put(code: number, k: number, whenTrue = 0, whenFalse = 0): number {
    this.#words.push(code | (whenTrue << 16) | (whenFalse << 24), k);
    return this.length;
  }

  /** The position of a return of `value`: one near enough that is there already, or a new one. */
  returns(value: number): number {
    const known = this.#returns.get(value);
    if (known !== undefined && this.length - known < NEAR) return known;
    const position = this.put(bpf.return, value);
    this.#returns.set(value, position);
    return position;
  }

  /** Compares A with k and goes to one of two positions. Where both are the same there is nothing to compare. */
  branch(code: number, k: number, whenTrue: number, whenFalse: number): number {
    if (whenTrue === whenFalse) return whenTrue;
    const nearFalse = this.#near(whenFalse, 1);
    const nearTrue = this.#near(whenTrue, 0);
    return this.put(code, k, this.length - nearTrue, this.length - nearFalse);
  }

  /** `more`: how many instructions may still come between the jump and the target because of the other branch. */
  #near(target: number, more: number): number {
    if (this.length + more - target <= REACH) return target;
    return this.put(bpf.jump, this.length - target);
  }

  /** struct sock_filter, 8 bytes each, little endian. */
  finish(): Uint8Array {
    const bytes = new Uint8Array(this.#words.length * 4);
    const words = new Uint32Array(bytes.buffer);
    for (let from = this.#words.length - 2, to = 0; from >= 0; from -= 2, to += 2) {
      words[to] = this.#words[from] ?? 0;
      words[to + 1] = this.#words[from + 1] ?? 0;
    }
    return bytes;
  }
}
