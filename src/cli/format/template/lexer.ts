import { parseError } from "./error.ts";

export type TokenKind =
  | "text"
  | "open"
  | "close"
  | "field"
  | "dot"
  | "variable"
  | "word"
  | "number"
  | "string"
  | "punctuation"
  | "end";

/** A piece of a template. `spaced`: white space stands before it inside an action, which separates arguments. */
export interface Token {
  readonly kind: TokenKind;
  /** Text as written; of a string its value, of a field or variable its name without the sign. */
  readonly text: string;
  readonly at: number;
  readonly end: number;
  readonly spaced: boolean;
}

const patterns: readonly (readonly [TokenKind, RegExp])[] = [
  ["field", /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ["number", /[+-]?(?:0[xX][0-9a-fA-F]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)/y],
  ["dot", /\./y],
  ["variable", /\$[\p{L}\p{N}_]*/uy],
  ["word", /[\p{L}_][\p{L}\p{N}_]*/uy],
  ["string", /"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)+'/y],
  ["punctuation", /:=|[=|(),]/y],
];

/** Cuts a Go template into tokens; text between actions is trimmed where `{{-` and `-}}` ask for it. */
export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let trim = false;
  while (at < source.length) {
    const open = source.indexOf("{{", at);
    const text = source.slice(at, open < 0 ? source.length : open);
    const trimEnd = open >= 0 && /^\{\{-\s/.test(source.slice(open, open + 4));
    pushText(tokens, trimmed(text, trim, trimEnd), at);
    if (open < 0) break;
    const action = readAction(source, open, open + (trimEnd ? 3 : 2));
    tokens.push(...action.tokens);
    at = action.end;
    trim = action.trim;
  }
  tokens.push({ kind: "end", text: "", at: source.length, end: source.length, spaced: false });
  return tokens;
}

function trimmed(text: string, start: boolean, end: boolean): string {
  const left = start ? text.trimStart() : text;
  return end ? left.trimEnd() : left;
}

function pushText(tokens: Token[], text: string, at: number): void {
  if (text !== "") tokens.push({ kind: "text", text, at, end: at + text.length, spaced: false });
}

interface Action {
  readonly tokens: readonly Token[];
  readonly end: number;
  /** The text behind it loses its leading white space. */
  readonly trim: boolean;
}

function readAction(source: string, open: number, start: number): Action {
  const comment = /\s*\/\*[\s\S]*?\*\/(\s-)?\}\}/y;
  comment.lastIndex = start;
  const matched = comment.exec(source);
  if (matched !== null) return { tokens: [], end: comment.lastIndex, trim: matched[1] !== undefined };
  const tokens: Token[] = [{ kind: "open", text: "{{", at: open, end: start, spaced: false }];
  for (let at = start; ; ) {
    const gap = spaceLength(source, at);
    at += gap;
    const close = closing(source, at, gap > 0);
    if (close !== undefined) {
      tokens.push({ kind: "close", text: "}}", at, end: close.end, spaced: gap > 0 });
      return { tokens, end: close.end, trim: close.trim };
    }
    const token = readToken(source, at, open, gap > 0);
    tokens.push(token);
    at = token.end;
  }
}

function spaceLength(source: string, at: number): number {
  const space = /\s*/y;
  space.lastIndex = at;
  return space.exec(source)?.[0].length ?? 0;
}

function closing(source: string, at: number, spaced: boolean): { end: number; trim: boolean } | undefined {
  if (source.startsWith("}}", at)) return { end: at + 2, trim: false };
  if (spaced && source.startsWith("-}}", at)) return { end: at + 3, trim: true };
  return undefined;
}

function readToken(source: string, at: number, open: number, spaced: boolean): Token {
  if (at >= source.length) throw parseError(source, open, "unclosed action");
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at;
    const text = pattern.exec(source)?.[0];
    if (text === undefined || (kind === "number" && !numberEnds(source, at + text.length))) continue;
    return { kind, text: tokenText(kind, text), at, end: at + text.length, spaced };
  }
  const character = source[at] ?? "";
  if (`"'\``.includes(character)) throw parseError(source, at, "unterminated quoted string");
  throw parseError(source, at, `unexpected ${JSON.stringify(character)} in command`);
}

/** A dot or sign is no number where letters follow. */
function numberEnds(source: string, end: number): boolean {
  return !/[\p{L}_]/u.test(source[end] ?? "");
}

function tokenText(kind: TokenKind, text: string): string {
  if (kind === "field") return text.slice(1);
  if (kind === "string") return unquote(text);
  return text;
}

const escapes: Readonly<Record<string, string>> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/** The value of a Go string or character literal. */
function unquote(text: string): string {
  const inner = text.slice(1, -1);
  if (text.startsWith("`")) return inner;
  return inner.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)/g, (_, code: string) => {
    if (/^[xuU]./.test(code)) return String.fromCodePoint(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]{3}$/.test(code)) return String.fromCodePoint(Number.parseInt(code, 8));
    return escapes[code] ?? code;
  });
}
