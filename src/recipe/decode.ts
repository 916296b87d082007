import { GalleyError } from "../errors.ts";
import {
  HEADER_SIZE,
  MAGIC,
  NO_SLOT,
  restartPolicies,
  SLOT_CWD,
  SLOT_NONE,
  STEP_SIZE,
  shimFlags,
  VERSION,
} from "./encode.ts";
import { CWD, type Fixup, fixupKinds, NONE, type OpName, type OpSpec, ops, sectionNames } from "./ops.ts";
import type { Arg, Recipe, SectionName, ShimSettings, Step } from "./recipe.ts";

/** Reads a recipe back from its encoding. Fails with `data_loss` where it is not one, or of another version. */
export function decode(bytes: Uint8Array): Recipe {
  return new Decoder(bytes).recipe();
}

class Decoder {
  readonly #view: DataView;
  readonly #data: Uint8Array;
  readonly #slots: readonly string[];

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < HEADER_SIZE || this.#word(0) !== MAGIC) throw notARecipe("no recipe header");
    if (this.#word(4) !== VERSION) throw notARecipe(`version ${this.#word(4)}, this Galley reads ${VERSION}`);
    if (this.#word(8) !== bytes.length) throw notARecipe("truncated");
    this.#data = bytes.subarray(this.#word(20), this.#word(20) + this.#word(24));
    this.#slots = this.#slotNames();
  }

  recipe(): Recipe {
    const sections: Partial<Record<SectionName, Step[]>> = {};
    sectionNames.forEach((name, index) => {
      const [offset, count] = [this.#word(40 + index * 8), this.#word(44 + index * 8)];
      if (offset + count * STEP_SIZE > this.bytes.length) throw notARecipe(`section ${name} ends outside the file`);
      if (count > 0) sections[name] = Array.from({ length: count }, (_, step) => this.#step(offset + step * STEP_SIZE));
    });
    return this.#word(28) === 1 ? { sections, shim: this.#shim() } : { sections };
  }

  #step(at: number): Step {
    const [op, spec] = operation(this.#view.getUint16(at, true));
    const out = this.#view.getUint16(at + 2, true);
    const tolerate = [...this.bytes.subarray(at + 4, at + 8)].filter((errno) => errno !== 0);
    return {
      op,
      args: this.#args(spec, at + 16),
      ...(out === NO_SLOT ? {} : { out: this.#slot(out) }),
      ...(tolerate.length === 0 ? {} : { tolerate }),
      cause: this.#text(this.#word(at + 8)),
    };
  }

  #args(spec: OpSpec, at: number): Arg[] {
    let word = at;
    return spec.params.map((param) => {
      const kind = param.split(":")[1];
      const arg = kind === "fixup" ? this.#fixup(word) : this.#arg(kind, this.#view.getBigUint64(word, true));
      word += kind === "fixup" ? 24 : 8;
      return arg;
    });
  }

  #arg(kind: string | undefined, value: bigint): Arg {
    if (kind === "str") return this.#text(Number(value));
    if (kind === "fd" || kind === "slot") return this.#slot(Number(value));
    if (kind === "u64") return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
    const offset = Number(value & 0xffffffffn);
    return this.#data.slice(offset, offset + Number(value >> 32n));
  }

  #fixup(at: number): Fixup {
    const [offset, kind, value] = [0, 8, 16].map((skip) => Number(this.#view.getBigUint64(at + skip, true))) as [
      number,
      number,
      number,
    ];
    switch (fixupKinds[kind]) {
      case "pid":
        return { kind: "pid", offset };
      case "slot":
        return { kind: "slot", offset, slot: this.#slot(value) };
      case "interfaceIndex":
        return { kind: "interfaceIndex", offset, name: this.#text(value) };
      default:
        return { kind: "none" };
    }
  }

  #shim(): ShimSettings {
    const [flags, input, output, error] = [104, 108, 112, 116].map((at) => this.#word(at)) as [
      number,
      number,
      number,
      number,
    ];
    const path = (at: number): string => this.#text(this.#word(at));
    const tty = (flags & shimFlags.tty) !== 0;
    const oomSlot = this.#optionalSlot(this.#word(148));
    const oomPath = path(152);
    const attach = this.#word(156);
    return {
      stdio: tty ? { tty: this.#slot(input) } : this.#pipes(input, output, error),
      openStdin: (flags & shimFlags.openStdin) !== 0,
      stdinOnce: (flags & shimFlags.stdinOnce) !== 0,
      socketPath: path(128),
      statusPath: path(132),
      timingsPath: path(136),
      ...((flags & shimFlags.log) === 0
        ? {}
        : { log: { path: path(140), maxSize: Number(this.#view.getBigUint64(160, true)), maxFiles: this.#word(144) } }),
      restart: { policy: restartPolicies[this.#word(120)] ?? "no", maxRetries: this.#word(124) },
      ...(oomSlot === undefined && oomPath === ""
        ? {}
        : {
            oom: { ...(oomSlot === undefined ? {} : { slot: oomSlot }), ...(oomPath === "" ? {} : { path: oomPath }) },
          }),
      ...(attach === 0xffffffff ? {} : { attachFd: attach }),
    };
  }

  #pipes(...slots: readonly [number, number, number]): ShimSettings["stdio"] {
    const [stdin, stdout, stderr] = slots.map((number) => this.#optionalSlot(number));
    return {
      ...(stdin === undefined ? {} : { stdin }),
      ...(stdout === undefined ? {} : { stdout }),
      ...(stderr === undefined ? {} : { stderr }),
    };
  }

  #optionalSlot(number: number): string | undefined {
    return number === SLOT_NONE ? undefined : this.#slot(number);
  }

  #slot(number: number): string {
    if (number === SLOT_CWD) return CWD;
    if (number === SLOT_NONE) return NONE;
    return this.#slots[number] ?? `slot${number}`;
  }

  #slotNames(): string[] {
    const names: string[] = [];
    for (let at = this.#word(32); names.length < this.#word(36); at += Buffer.byteLength(names.at(-1) ?? "") + 1) {
      names.push(this.#text(at));
    }
    return names;
  }

  #text(offset: number): string {
    const end = this.#data.indexOf(0, offset);
    if (end === -1) throw notARecipe("a string runs out of the file");
    return Buffer.from(this.#data.buffer, this.#data.byteOffset + offset, end - offset).toString();
  }

  #word(at: number): number {
    return this.#view.getUint32(at, true);
  }
}

let byCode: Map<number, readonly [OpName, OpSpec]> | undefined;

function operation(code: number): readonly [OpName, OpSpec] {
  byCode ??= new Map(Object.entries(ops).map(([name, spec]) => [spec.code, [name as OpName, spec] as const]));
  const found = byCode.get(code);
  if (found === undefined) throw notARecipe(`unknown operation ${code}`);
  return found;
}

function notARecipe(why: string): GalleyError {
  return new GalleyError("data_loss", `not a recipe: ${why}`);
}
