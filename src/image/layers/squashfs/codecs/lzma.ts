import type { Output } from "./output.ts";
import { RangeDecoder } from "./range-decoder.ts";

/** Where the probabilities of what are, in one list. */
const STATES = 12;
const IS_MATCH = 0;
const IS_REP = IS_MATCH + STATES * 16;
const IS_REP_0 = IS_REP + STATES;
const IS_REP_1 = IS_REP_0 + STATES;
const IS_REP_2 = IS_REP_1 + STATES;
const IS_REP_0_LONG = IS_REP_2 + STATES;
const SLOT = IS_REP_0_LONG + STATES * 16;
const DISTANCE = SLOT + 4 * 64;
const ALIGN = DISTANCE + 115;
const LENGTH = ALIGN + 16;
/** Of each of the two decoders of lengths: two choices, then short, middle and long ones. */
const LENGTHS = 2 + 2 * 16 * 8 + 256;
const REP_LENGTH = LENGTH + LENGTHS;
const LITERAL = REP_LENGTH + LENGTHS;
/** Of literals in one context. */
const LITERALS = 0x300;

/** Of contexts for literals, the bits of position and byte before: no encoder has more, and LZMA2 allows none. */
const CONTEXT_MAX = 4;

/** Distances from this slot on end in bits that are told directly. */
const DIRECT_SLOTS = 14;

/** The distance that stands for the end. */
const END = 0xffff_ffff;

/** Decodes LZMA (LZMA specification of the LZMA SDK) to an output, which is the dictionary, too. */
export class LzmaDecoder {
  readonly #range = new RangeDecoder(new Uint16Array(LITERAL + (LITERALS << CONTEXT_MAX)));
  #state = 0;
  #reps: [number, number, number, number] = [0, 0, 0, 0];
  #contextBits = 0;
  #contextMask = 0;
  #positionMask = 0;

  constructor(private readonly output: Output) {}

  /** Takes the byte that says how positions and bytes before matter, and forgets what it learned. */
  properties(byte: number): void {
    const [context, position, places] = [byte % 9, Math.floor(byte / 9) % 5, Math.floor(byte / 45)];
    if (places > 4 || context + position > CONTEXT_MAX) throw new Error(`it has the unknown properties ${byte}`);
    this.#contextBits = context;
    this.#contextMask = (1 << position) - 1;
    this.#positionMask = (1 << places) - 1;
    this.forget();
  }

  /** Begins as if nothing had been seen. */
  forget(): void {
    this.#range.probabilities.fill(1024);
    this.#state = 0;
    this.#reps = [0, 0, 0, 0];
  }

  /** Decodes a stretch of the input until the output has `limit` bytes, or the stretch says that it ends. */
  decode(input: Uint8Array, from: number, end: number, limit: number): void {
    this.#range.begin(input, from, end);
    while (this.output.length < limit) {
      const position = this.output.length & this.#positionMask;
      if (this.#range.bit(IS_MATCH + this.#state * 16 + position) === 0) this.#literal();
      else if (!this.#match(position, limit)) return;
    }
  }

  #literal(): void {
    const { output } = this;
    const { bytes, length } = output;
    if (length >= bytes.length) throw new Error("it is larger than a block");
    const before = length > 0 ? (bytes[length - 1] as number) : 0;
    const context = ((length & this.#contextMask) << this.#contextBits) + (before >> (8 - this.#contextBits));
    const base = LITERAL + LITERALS * context;
    bytes[length] = this.#state < 7 ? this.#range.tree(base, 8) : this.#literalAfterMatch(base);
    output.length++;
    this.#state = this.#state < 4 ? 0 : this.#state - (this.#state < 10 ? 3 : 6);
  }

  /** What stands where the last match would have gone on is a hint, up to the first bit that differs. */
  #literalAfterMatch(base: number): number {
    const { bytes, length } = this.output;
    let hint = bytes[length - this.#reps[0] - 1] ?? 0;
    let place = 1;
    for (let same = true; place < 0x100; ) {
      const expected = (hint >> 7) & 1;
      hint <<= 1;
      const bit = this.#range.bit(base + (same ? (1 + expected) << 8 : 0) + place);
      place = (place << 1) | bit;
      if (bit !== expected) same = false;
    }
    return place & 0xff;
  }

  /** Whether there is more. */
  #match(position: number, limit: number): boolean {
    const range = this.#range;
    const state = this.#state;
    if (range.bit(IS_REP + state) === 0) return this.#newMatch(position, limit);
    const isFirst = range.bit(IS_REP_0 + state) === 0;
    if (isFirst && range.bit(IS_REP_0_LONG + state * 16 + position) === 0) {
      this.#state = state < 7 ? 9 : 11;
      this.#copy(1, limit);
      return true;
    }
    if (!isFirst) this.#chooseRep(state);
    this.#state = state < 7 ? 8 : 11;
    this.#copy(this.#length(REP_LENGTH, position), limit);
    return true;
  }

  #chooseRep(state: number): void {
    const [first, second, third, fourth] = this.#reps;
    if (this.#range.bit(IS_REP_1 + state) === 0) this.#reps = [second, first, third, fourth];
    else if (this.#range.bit(IS_REP_2 + state) === 0) this.#reps = [third, first, second, fourth];
    else this.#reps = [fourth, first, second, third];
  }

  #newMatch(position: number, limit: number): boolean {
    const length = this.#length(LENGTH, position);
    const distance = this.#distance(length);
    if (distance === END) return false;
    const [first, second, third] = this.#reps;
    this.#reps = [distance, first, second, third];
    this.#state = this.#state < 7 ? 7 : 10;
    this.#copy(length, limit);
    return true;
  }

  #copy(length: number, limit: number): void {
    if (this.output.length + length > limit) throw new Error("it is larger than it says");
    this.output.repeat(this.#reps[0] + 1, length);
  }

  #length(base: number, position: number): number {
    const range = this.#range;
    if (range.bit(base) === 0) return 2 + range.tree(base + 2 + position * 8, 3);
    if (range.bit(base + 1) === 0) return 10 + range.tree(base + 2 + 128 + position * 8, 3);
    return 18 + range.tree(base + 2 + 256, 8);
  }

  #distance(length: number): number {
    const range = this.#range;
    const slot = range.tree(SLOT + Math.min(length - 2, 3) * 64, 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const high = (2 | (slot & 1)) * 2 ** bits;
    if (slot < DIRECT_SLOTS) return high + range.reverseTree(DISTANCE + high - slot, bits);
    return high + range.direct(bits - 4) * 16 + range.reverseTree(ALIGN, 4);
  }
}
