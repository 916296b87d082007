/**
 * Values in GVariant's text form (GLib, "GVariant Text Format"), which annotations hold: `true`, `'text'`, `uint64 5`, `[1, 2]`, `('a', 1)`,
 * `{'k': 1}`, `<1>`, `@as []`. Types are found as GLib finds them: a whole number is `i`, one with a point or an exponent `d`.
 */
import { type DbusValue, membersOf, typesOf, type Variant, variant } from "./dbus/types.ts";

type Node =
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "number"; readonly text: string }
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "bytes"; readonly text: string }
  | { readonly kind: "array" | "tuple" | "entry"; readonly items: readonly Node[] }
  | { readonly kind: "variant"; readonly item: Node }
  | { readonly kind: "typed"; readonly signature: string; readonly item: Node };

/** Type words that may stand before a value. */
const words: Readonly<Record<string, string>> = {
  boolean: "b",
  byte: "y",
  int16: "n",
  uint16: "q",
  int32: "i",
  handle: "h",
  uint32: "u",
  int64: "x",
  uint64: "t",
  double: "d",
  string: "s",
  objectpath: "o",
  signature: "g",
};

/** Sign and bits of the integers. */
const ranges: Readonly<Record<string, readonly [signed: boolean, bits: number]>> = {
  y: [false, 8],
  n: [true, 16],
  q: [false, 16],
  i: [true, 32],
  h: [true, 32],
  u: [false, 32],
  x: [true, 64],
  t: [false, 64],
};

/** Parses one value. Throws a SyntaxError that says what is wrong where. */
export function parseVariant(text: string): Variant {
  const parser = new Parser(text);
  const node = parser.value();
  parser.end();
  const signature = signatureOf(node);
  return variant(signature, contentOf(node, signature));
}

class Parser {
  #at = 0;
  #depth = 0;

  constructor(readonly text: string) {}

  value(): Node {
    if (++this.#depth > 32) throw this.#error("too deep");
    const node = this.#one();
    this.#depth--;
    return node;
  }

  end(): void {
    this.#space();
    if (this.#at < this.text.length) throw this.#error("something follows the value");
  }

  #one(): Node {
    if (this.#take("[")) return { kind: "array", items: this.#list("]") };
    if (this.#take("(")) return { kind: "tuple", items: this.#list(")") };
    if (this.#take("{")) return this.#dictionary();
    if (this.#take("<")) return this.#boxed();
    if (this.#take("@")) return this.#typed(this.#match(/[a-z(){}]+/y, "a type"));
    const quoted = this.#quoted();
    if (quoted !== undefined) return quoted;
    const word = this.#match(/[A-Za-z0-9_+.-]+/y, "a value");
    if (word === "true" || word === "false") return { kind: "boolean", value: word === "true" };
    const type = words[word];
    if (type !== undefined) return this.#typed(type);
    if (/^[+-]?(0[xX][0-9a-fA-F]+|\d+\.?\d*([eE][+-]?\d+)?)$/.test(word)) return { kind: "number", text: word };
    throw this.#error(`unknown word ${word}`);
  }

  #typed(signature: string): Node {
    if (typesOf(signature).length !== 1) throw this.#error(`no single type: ${signature}`);
    return { kind: "typed", signature, item: this.value() };
  }

  #boxed(): Node {
    const item = this.value();
    if (!this.#take(">")) throw this.#error("> is missing");
    return { kind: "variant", item };
  }

  #list(close: string): Node[] {
    const items: Node[] = [];
    while (!this.#take(close)) {
      if (items.length > 0 && !this.#take(",")) throw this.#error(`, or ${close} is missing`);
      if (items.length > 0 && close === ")" && this.#take(close)) break; // (1,) is a tuple of one
      items.push(this.value());
    }
    return items;
  }

  #dictionary(): Node {
    const items: Node[] = [];
    while (!this.#take("}")) {
      if (items.length > 0 && !this.#take(",")) throw this.#error(", or } is missing");
      const key = this.value();
      if (!this.#take(":")) throw this.#error(": is missing");
      items.push({ kind: "entry", items: [key, this.value()] });
    }
    return { kind: "array", items };
  }

  #quoted(): Node | undefined {
    const isBytes = this.#take('b"') || this.#take("b'");
    if (!isBytes && !this.#take('"') && !this.#take("'")) return undefined;
    const quote = this.text.charAt(this.#at - 1);
    let text = "";
    for (;;) {
      const letter = this.text.charAt(this.#at++);
      if (letter === "") throw this.#error(`${quote} is missing`);
      if (letter === quote) return { kind: isBytes ? "bytes" : "string", text };
      text += letter === "\\" ? this.#escape() : letter;
    }
  }

  /** Behind a backslash: u and U with hexadecimal digits, control characters by letters, anything else as it is. */
  #escape(): string {
    const letter = this.text.charAt(this.#at++);
    const digits = { u: 4, U: 8 }[letter];
    if (digits === undefined)
      return { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" }[letter] ?? letter;
    const code = this.text.slice(this.#at, this.#at + digits);
    if (!/^[0-9a-fA-F]+$/.test(code) || Number.parseInt(code, 16) > 0x10ffff) throw this.#error("no such character");
    this.#at += digits;
    return String.fromCodePoint(Number.parseInt(code, 16));
  }

  #take(token: string): boolean {
    this.#space();
    if (!this.text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #match(pattern: RegExp, what: string): string {
    this.#space();
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) throw this.#error(`${what} is missing`);
    this.#at += found.length;
    return found;
  }

  #space(): void {
    while (/\s/.test(this.text.charAt(this.#at))) this.#at++;
  }

  #error(message: string): SyntaxError {
    return new SyntaxError(`${message} at character ${this.#at + 1}`);
  }
}

function signatureOf(node: Node): string {
  switch (node.kind) {
    case "boolean":
      return "b";
    case "string":
      return "s";
    case "bytes":
      return "ay";
    case "variant":
      return "v";
    case "typed":
      return node.signature;
    case "number":
      return /^[+-]?0[xX]/.test(node.text) || !/[.eE]/.test(node.text) ? "i" : "d";
    case "array":
      return `a${elementSignature(node.items)}`;
    default: {
      const inner = node.items.map(signatureOf).join("");
      return node.kind === "tuple" ? `(${inner})` : `{${inner}}`;
    }
  }
}

/** An element that says its type says it for all. */
function elementSignature(items: readonly Node[]): string {
  const says = items.find(({ kind }) => kind === "typed") ?? items[0];
  if (says === undefined) throw new SyntaxError("an empty array needs a type, as @as []");
  return signatureOf(says);
}

function contentOf(node: Node, signature: string): DbusValue {
  const kind = signature.charAt(0);
  const wrong = () => new SyntaxError(`a value of type ${signatureOf(node)} where ${signature} is needed`);
  if (node.kind === "typed") {
    if (node.signature !== signature) throw wrong();
    return contentOf(node.item, signature);
  }
  if (node.kind === "variant" && kind === "v") {
    const inner = signatureOf(node.item);
    return variant(inner, contentOf(node.item, inner));
  }
  if (node.kind === "boolean" && kind === "b") return node.value;
  if (node.kind === "string" && (kind === "s" || kind === "o" || kind === "g")) return node.text;
  if (node.kind === "bytes" && signature === "ay") return new TextEncoder().encode(`${node.text}\0`);
  if (node.kind === "array" && kind === "a") return node.items.map((item) => contentOf(item, signature.slice(1)));
  if ((node.kind === "tuple" && kind === "(") || (node.kind === "entry" && kind === "{")) {
    const members = membersOf(signature);
    if (members.length !== node.items.length) throw wrong();
    return node.items.map((item, index) => contentOf(item, members[index] ?? ""));
  }
  if (node.kind === "number" && kind === "d") return Number(node.text);
  if (node.kind === "number" && ranges[kind] !== undefined) return integer(node.text, kind);
  throw wrong();
}

function integer(text: string, type: string): bigint {
  const [, sign = "", digits = ""] = /^([+-]?)((?:0[xX][0-9a-fA-F]+)|\d+)$/.exec(text) ?? [];
  if (digits === "") throw new SyntaxError(`${text} is no whole number`);
  const value = BigInt(digits) * (sign === "-" ? -1n : 1n);
  const [signed, bits] = ranges[type] ?? [true, 32];
  const fits = signed ? BigInt.asIntN(bits, value) === value : BigInt.asUintN(bits, value) === value;
  if (!fits) throw new SyntaxError(`${text} does not fit the type ${type}`);
  return value;
}
