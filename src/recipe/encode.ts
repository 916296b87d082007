import { GalleyError } from "../errors.ts";
import { CWD, type Fixup, fixupKinds, NONE, ops, sectionNames } from "./ops.ts";
import type { Arg, Recipe, ShimSettings, Step } from "./recipe.ts";

/** The encoding's constants; native/recipe.h has the same. See docs/recipes.md. */
export const MAGIC = 0x52594c47; // "GLYR" in little-endian order
export const VERSION = 1;
export const HEADER_SIZE = 256;
export const STEP_SIZE = 64;
export const NO_SLOT = 0xffff;
export const SLOT_CWD = 0xfffe;
export const SLOT_NONE = 0xfffd;
export const shimFlags = { tty: 1, openStdin: 2, stdinOnce: 4, log: 8 } as const;
export const restartPolicies = ["no", "on-failure", "always"] as const;
const MAX_SLOTS = 256;
const EMPTY = new Uint8Array(0);

/** Collects strings and bytes behind the steps; equal strings are kept once. Offsets count from the data section's start. */
class DataSection {
  #bytes = new Uint8Array(16 * 1024);
  #length = 0;
  readonly #strings = new Map<string, number>();

  constructor() {
    this.string(""); // offset 0 is the empty string, so that 0 can mean "none"
  }

  string(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    if (text.includes("\0")) throw nulByte(text);
    const offset = this.bytes(Buffer.from(`${text}\0`));
    this.#strings.set(text, offset);
    return offset;
  }

  /** Aligned to 8 bytes: structures with 64-bit members are read in place. */
  bytes(content: Uint8Array): number {
    const offset = (this.#length + 7) & ~7;
    this.#reserve(offset + content.length);
    this.#bytes.set(content, offset);
    this.#length = offset + content.length;
    return offset;
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(size, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

function nulByte(text: string): GalleyError {
  return new GalleyError("invalid_argument", "contains a NUL byte", { subject: JSON.stringify(text) });
}

/** Numbers slot names in the order of their first use. */
class Slots {
  readonly #numbers = new Map<string, number>();

  number(name: string): number {
    if (name === CWD) return SLOT_CWD;
    if (name === NONE) return SLOT_NONE;
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    if (this.#numbers.size >= MAX_SLOTS)
      throw new GalleyError("resource_exhausted", `a recipe has at most ${MAX_SLOTS} slots`);
    this.#numbers.set(name, this.#numbers.size);
    return this.#numbers.size - 1;
  }

  names(): string[] {
    return [...this.#numbers.keys()];
  }
}

/** Encodes a recipe for the native program. The result is self-describing: decode() gives the same steps back. */
export function encode(recipe: Recipe): Uint8Array {
  const sections = sectionNames.map((name) => recipe.sections[name] ?? []);
  const count = sections.reduce((sum, steps) => sum + steps.length, 0);
  const head = new Uint8Array(HEADER_SIZE + count * STEP_SIZE);
  const view = new DataView(head.buffer);
  const data = new DataSection();
  const slots = new Slots();

  let offset = HEADER_SIZE;
  sections.forEach((steps, index) => {
    view.setUint32(40 + index * 8, offset, true);
    view.setUint32(44 + index * 8, steps.length, true);
    for (const one of steps) {
      encodeStep(view, offset, one, data, slots);
      offset += STEP_SIZE;
    }
  });
  if (recipe.shim !== undefined) encodeShim(view, recipe.shim, data, slots);
  const names = slots.names();
  view.setUint32(32, data.bytes(Buffer.from(names.map((name) => `${name}\0`).join(""))), true);
  view.setUint32(36, names.length, true);
  return assemble(view, head, data.finish(), recipe.shim !== undefined);
}

function assemble(view: DataView, head: Uint8Array, data: Uint8Array, shim: boolean): Uint8Array {
  const size = head.length + data.length;
  const words = [MAGIC, VERSION, size, 0, sectionNames.length, head.length, data.length, shim ? 1 : 0];
  setWords(view, 0, words);
  const result = new Uint8Array(size);
  result.set(head);
  result.set(data, head.length);
  return result;
}

function setWords(view: DataView, at: number, words: readonly number[]): void {
  for (const [index, word] of words.entries()) view.setUint32(at + index * 4, word, true);
}

function encodeStep(view: DataView, at: number, one: Step, data: DataSection, slots: Slots): void {
  const spec = ops[one.op];
  view.setUint16(at, spec.code, true);
  view.setUint16(at + 2, one.out === undefined ? NO_SLOT : slots.number(one.out), true);
  const tolerate = one.tolerate ?? [];
  for (let index = 0; index < 4; index++) view.setUint8(at + 4 + index, tolerate[index] ?? 0);
  view.setUint32(at + 8, data.string(one.cause), true);
  let word = at + 16;
  spec.params.forEach((param, index) => {
    const arg = one.args[index];
    if (arg === undefined) throw new GalleyError("internal", `${one.op} lacks ${param}`, { subject: one.cause });
    for (const value of encodeArg(param.split(":")[1] ?? "", arg, data, slots)) {
      view.setBigUint64(word, BigInt.asUintN(64, BigInt(value)), true);
      word += 8;
    }
  });
}

function encodeArg(kind: string, arg: Arg, data: DataSection, slots: Slots): readonly (number | bigint)[] {
  switch (kind) {
    case "str":
      return [data.string(arg as string)];
    case "fd":
    case "slot":
      return [slots.number(arg as string)];
    case "data":
    case "ptr":
      return [span(data, arg as Uint8Array)];
    case "fixup":
      return encodeFixup(arg as Fixup, data, slots);
    default:
      return [arg as number | bigint];
  }
}

/** Bytes are one word: offset in the low half, length in the high half. */
function span(data: DataSection, bytes: Uint8Array): bigint {
  return BigInt(data.bytes(bytes)) | (BigInt(bytes.length) << 32n);
}

function encodeFixup(fixup: Fixup, data: DataSection, slots: Slots): number[] {
  const kind = fixupKinds.indexOf(fixup.kind);
  if (fixup.kind === "none") return [0, kind, 0];
  if (fixup.kind === "slot") return [fixup.offset, kind, slots.number(fixup.slot)];
  return [fixup.offset, kind, fixup.kind === "interfaceIndex" ? data.string(fixup.name) : 0];
}

/** The shim's settings fill the header from byte 104; docs/recipes.md has the table. */
function encodeShim(view: DataView, shim: ShimSettings, data: DataSection, slots: Slots): void {
  const slot = (name: string | undefined): number => (name === undefined ? SLOT_NONE : slots.number(name));
  const text = (value: string | undefined): number => (value === undefined ? 0 : data.string(value));
  const flags =
    (shim.stdio.tty !== undefined ? shimFlags.tty : 0) |
    (shim.openStdin ? shimFlags.openStdin : 0) |
    (shim.stdinOnce ? shimFlags.stdinOnce : 0) |
    (shim.log !== undefined ? shimFlags.log : 0);
  const words = [
    flags,
    slot(shim.stdio.tty ?? shim.stdio.stdin),
    slot(shim.stdio.stdout),
    slot(shim.stdio.stderr),
    restartPolicies.indexOf(shim.restart.policy),
    shim.restart.maxRetries,
    text(shim.socketPath),
    text(shim.statusPath),
    text(shim.timingsPath),
    text(shim.log?.path),
    shim.log?.maxFiles ?? 0,
    slot(shim.oom?.slot),
    text(shim.oom?.path),
    shim.attachFd === undefined ? 0xffffffff : shim.attachFd,
  ];
  setWords(view, 104, words);
  view.setBigUint64(160, BigInt(shim.log?.maxSize ?? 0), true);
}

/** A NUL-separated list, as `exec` takes argv and envp. An entry with a NUL byte is refused. */
export function stringList(entries: readonly string[]): Uint8Array {
  const bad = entries.find((entry) => entry.includes("\0"));
  if (bad !== undefined) throw nulByte(bad);
  return entries.length === 0 ? EMPTY : new TextEncoder().encode(`${entries.join("\0")}\0`);
}
