import { GalleyError } from "../errors.ts";
import { CWD, type Fixup, fixupKinds, NONE, type OpName, type OpSpec, ops, sectionNames } from "./ops.ts";
import type { Arg, Recipe, ShimSettings, Step } from "./recipe.ts";
import { SIZE_LIMIT, STEP_LIMIT, tooManyBytes, tooManySteps } from "./too-large.ts";

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
/** What the strings and bytes of an ordinary container take; more is made room for. */
const DATA_ROOM = 24 * 1024;
const EMPTY = new Uint8Array(0);

/** Collects strings and bytes behind the steps; equal strings are kept once. Offsets count from the data section's start. */
class DataSection {
  private bytes = Buffer.alloc(DATA_ROOM);
  private end = 0;
  private readonly offsets = new Map<string, number>();

  constructor() {
    this.string(""); // offset 0 is the empty string, so that 0 can mean "none"
  }

  string(text: string): number {
    const known = this.offsets.get(text);
    if (known !== undefined) return known;
    if (text.includes("\0")) throw nulByte(text);
    const offset = this.end;
    this.offsets.set(text, offset);
    this.reserve(text.length * 3 + 1);
    this.end += this.bytes.write(text, offset) + 1;
    return offset;
  }

  /** Aligned to 8 bytes: structures with 64-bit members are read in place. */
  content(content: Uint8Array): number {
    const offset = (this.end + 7) & ~7;
    this.reserve(content.length + 7);
    this.bytes.set(content, offset);
    this.end = offset + content.length;
    return offset;
  }

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.end);
  }

  /** Room behind the end, all zero. */
  private reserve(size: number): void {
    if (this.end + size <= this.bytes.length) return;
    const grown = Buffer.alloc(this.bytes.length * 2 + size);
    grown.set(this.bytes);
    this.bytes = grown;
  }
}

function nulByte(text: string): GalleyError {
  return new GalleyError("invalid_argument", "contains a NUL byte", { subject: JSON.stringify(text) });
}

/** Numbers slot names in the order of their first use. */
class Slots {
  private readonly numbers = new Map<string, number>();
  /** What the slots are for, for errors. */
  user = "";

  number(name: string): number {
    if (name === CWD) return SLOT_CWD;
    if (name === NONE) return SLOT_NONE;
    const known = this.numbers.get(name);
    if (known !== undefined) return known;
    const next = this.numbers.size;
    if (next >= MAX_SLOTS) {
      throw new GalleyError("resource_exhausted", `takes too many descriptors at once: more than ${MAX_SLOTS}`, {
        subject: this.user,
        hint: "ask for less of it",
      });
    }
    this.numbers.set(name, next);
    return next;
  }

  names(): string[] {
    return [...this.numbers.keys()];
  }
}

/** Encodes a recipe for the native program. The result is self-describing: decode() gives the same steps back. */
export function encode(recipe: Recipe): Uint8Array<ArrayBuffer> {
  return new Encoder(recipe.sections).recipe(recipe);
}

/**
 * Header and steps are written as 32-bit words, a 64-bit argument by its halves: every machine that this runs on is little-endian.
 * Each start of a container pays for this once, in an interpreter that has just begun and compiles what it calls often: hence so
 * few calls for a step, members that are private to the type checker alone, and no big integers.
 */
class Encoder {
  private readonly words: Uint32Array<ArrayBuffer>;
  private readonly data = new DataSection();
  private readonly slots = new Slots();

  constructor(private readonly sections: Recipe["sections"]) {
    let steps = 0;
    for (const name of sectionNames) {
      const count = sections[name]?.length ?? 0;
      if (count > STEP_LIMIT) throw tooManySteps(name, sections[name] ?? []);
      steps += count;
    }
    this.words = new Uint32Array((HEADER_SIZE + steps * STEP_SIZE) / 4);
  }

  recipe({ sections, shim }: Recipe): Uint8Array<ArrayBuffer> {
    let [at, field] = [HEADER_SIZE / 4, 10];
    for (const name of sectionNames) {
      const steps = sections[name] ?? [];
      this.words[field++] = at * 4;
      this.words[field++] = steps.length;
      for (const one of steps) {
        this.step(at, one);
        at += STEP_SIZE / 4;
      }
    }
    if (shim !== undefined) this.shim(shim);
    return this.finish(shim === undefined ? 0 : 1);
  }

  /** `at` counts words, here and below. Of the kinds of arguments, only strings and slots have the same type. */
  private step(at: number, { op, args, out, tolerate, cause }: Step): void {
    const { code, params }: OpSpec = ops[op];
    this.slots.user = cause;
    if (args.length !== params.length) {
      throw new GalleyError("internal", `${op} takes ${params.join(", ")}`, { subject: cause });
    }
    const { words, data, slots } = this;
    words[at] = code | ((out === undefined ? NO_SLOT : slots.number(out)) << 16);
    if (tolerate !== undefined) words[at + 1] = errorNumbers(tolerate);
    words[at + 2] = data.string(cause);
    const texts = textParams(op);
    let word = at + 4;
    for (let index = 0; index < args.length; index++, word += 2) {
      const arg = args[index] as Arg;
      if (typeof arg === "string") words[word] = texts[index] ? data.string(arg) : slots.number(arg);
      else if (typeof arg === "object") word += this.object(word, arg);
      else if (typeof arg === "number" && arg >= 0 && arg <= 0xffffffff) words[word] = arg;
      else this.long(word, arg);
    }
  }

  /** In two's complement. */
  private long(at: number, value: number | bigint): void {
    if (typeof value === "bigint") {
      this.words[at] = Number(BigInt.asUintN(32, value));
      this.words[at + 1] = Number(BigInt.asUintN(32, value >> 32n));
    } else {
      this.words[at] = value;
      this.words[at + 1] = Math.floor(value / 2 ** 32);
    }
  }

  /** Returns how many words it takes beyond the first two. Bytes are offset and length. */
  private object(at: number, arg: Uint8Array | Fixup): number {
    if (!(arg instanceof Uint8Array)) return this.fixup(at, arg);
    this.words[at] = this.data.content(arg);
    this.words[at + 1] = arg.length;
    return 0;
  }

  private fixup(at: number, fixup: Fixup): number {
    this.words[at + 2] = fixupKinds.indexOf(fixup.kind);
    if (fixup.kind !== "none") this.words[at] = fixup.offset;
    if (fixup.kind === "slot") this.words[at + 4] = this.slots.number(fixup.slot);
    if (fixup.kind === "interfaceIndex") this.words[at + 4] = this.data.string(fixup.name);
    return 4;
  }

  /** The shim's settings fill the header from byte 104; docs/recipes.md has the table. */
  private shim({ stdio, log, restart, oom, ...shim }: ShimSettings): void {
    const { slots, data } = this;
    const words = [
      flagsOf(shim, stdio.tty !== undefined, log !== undefined),
      slots.number(stdio.tty ?? stdio.stdin ?? NONE),
      slots.number(stdio.stdout ?? NONE),
      slots.number(stdio.stderr ?? NONE),
      restartPolicies.indexOf(restart.policy),
      restart.maxRetries,
      data.string(shim.socketPath),
      data.string(shim.statusPath),
      data.string(shim.timingsPath),
      data.string(log?.path ?? ""),
      log?.maxFiles ?? 0,
      slots.number(oom?.slot ?? NONE),
      data.string(oom?.path ?? ""),
      shim.attachFd ?? 0xffffffff,
    ];
    this.words.set(words, 26);
    this.long(40, log?.maxSize ?? 0);
  }

  private finish(mode: number): Uint8Array<ArrayBuffer> {
    const names = this.slots.names();
    this.words[8] = this.data.content(stringList(names));
    this.words[9] = names.length;
    const data = this.data.finish();
    const { byteLength } = this.words;
    const size = byteLength + data.length;
    if (size > SIZE_LIMIT) throw tooManyBytes(size, Object.values(this.sections).flat());
    this.words.set([MAGIC, VERSION, size, 0, sectionNames.length, byteLength, data.length, mode]);
    const result = new Uint8Array(size);
    result.set(new Uint8Array(this.words.buffer));
    result.set(data, byteLength);
    return result;
  }
}

const textsOf: Partial<Record<OpName, readonly boolean[]>> = {};

/** Which of an operation's parameters are texts, not slots. */
function textParams(op: OpName): readonly boolean[] {
  textsOf[op] ??= ops[op].params.map((param: string) => param.endsWith(":str"));
  return textsOf[op];
}

function errorNumbers(numbers: readonly number[]): number {
  if (numbers.length > 4) throw new GalleyError("internal", "a step tolerates at most four errors");
  let word = 0;
  for (let index = 0; index < numbers.length; index++) word |= (numbers[index] ?? 0) << (index * 8);
  return word;
}

function flagsOf(shim: Pick<ShimSettings, "openStdin" | "stdinOnce">, tty: boolean, log: boolean): number {
  return (
    (tty ? shimFlags.tty : 0) |
    (shim.openStdin ? shimFlags.openStdin : 0) |
    (shim.stdinOnce ? shimFlags.stdinOnce : 0) |
    (log ? shimFlags.log : 0)
  );
}

/** A NUL-separated list, as `exec` takes argv and envp. An entry with a NUL byte is refused. */
export function stringList(entries: readonly string[]): Uint8Array {
  const bad = entries.find((entry) => entry.includes("\0"));
  if (bad !== undefined) throw nulByte(bad);
  return entries.length === 0 ? EMPTY : new TextEncoder().encode(`${entries.join("\0")}\0`);
}
