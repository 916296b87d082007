import type { Expression, Invocation, Pipeline, Template, TemplateNode } from "./ast.ts";
import { parseError, type TemplateError } from "./error.ts";
import { type Token, tokenize } from "./lexer.ts";
import { Nil } from "./values.ts";

/** Reads a Go template (text/template of Go's library, without define, block and template). `functions` are the names it may call. */
export function parseTemplate(source: string, functions: ReadonlySet<string>): Template {
  const parser = new Parser(source, tokenize(source), functions);
  return { source, nodes: parser.all() };
}

const keywords = new Set(["if", "else", "end", "range", "with", "break", "continue"]);
const constants = new Map<string, boolean | Nil>([
  ["true", true],
  ["false", false],
  ["nil", new Nil("pointer")],
]);

class Parser {
  #next = 0;
  #ranges = 0;
  /** Names of the variables in scope, innermost last. */
  #variables = ["$"];

  constructor(
    readonly source: string,
    readonly tokens: readonly Token[],
    readonly functions: ReadonlySet<string>,
  ) {}

  all(): readonly TemplateNode[] {
    const nodes = this.#nodes();
    const token = this.#peek();
    if (token.kind !== "end") throw this.#fail(token, `unexpected {{${this.#peek(1).text}}}`);
    return nodes;
  }

  /** Nodes up to the end, or to an action that ends or divides the block. */
  #nodes(): TemplateNode[] {
    const nodes: TemplateNode[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === "end") return nodes;
      if (token.kind === "text") nodes.push({ kind: "text", text: this.#take().text });
      else if (this.#opens("end") || this.#opens("else")) return nodes;
      else nodes.push(this.#action());
    }
  }

  #action(): TemplateNode {
    this.#take();
    const token = this.#peek();
    if (token.kind === "word" && keywords.has(token.text)) return this.#keyword(this.#take());
    if (token.kind === "word" && ["define", "block", "template"].includes(token.text)) {
      throw this.#fail(token, `{{${token.text}}} is not supported`);
    }
    const pipeline = this.#pipeline();
    this.#close();
    return { kind: "print", pipeline };
  }

  #keyword(token: Token): TemplateNode {
    if (token.text === "break" || token.text === "continue") {
      if (this.#ranges === 0) throw this.#fail(token, `{{${token.text}}} outside {{range}}`);
      this.#close();
      return { kind: token.text };
    }
    return this.#branch(token.text as "if" | "with" | "range", token);
  }

  #branch(on: "if" | "with" | "range", opener: Token): TemplateNode {
    const scope = this.#variables.length;
    const pipeline = this.#pipeline(on === "range");
    this.#close();
    if (on === "range") this.#ranges++;
    const body = this.#nodes();
    if (on === "range") this.#ranges--;
    const otherwise = this.#otherwise(on, opener);
    this.#variables.length = scope;
    return { kind: "branch", on, pipeline, body, otherwise };
  }

  /** What follows the body: `{{end}}`, `{{else}}…{{end}}`, or `{{else if …}}` that shares its end. */
  #otherwise(on: string, opener: Token): TemplateNode[] {
    if (this.#peek().kind === "end") throw this.#fail(this.#peek(), "unexpected EOF");
    this.#take();
    const word = this.#take();
    if (word.text === "end") return this.#closed([]);
    const chained = this.#peek();
    if (on !== "range" && chained.kind === "word" && chained.text === on) {
      this.#take();
      return [this.#branch(on as "if" | "with", opener)];
    }
    this.#close();
    const nodes = this.#nodes();
    if (!this.#opens("end")) throw this.#fail(this.#peek(), "expected end; found {{else}}");
    this.#take();
    this.#take();
    return this.#closed(nodes);
  }

  #closed<T>(value: T): T {
    this.#close();
    return value;
  }

  #pipeline(range = false): Pipeline {
    const at = this.#peek().at;
    const { variables, declares } = this.#declaration(range);
    const commands = [this.#command()];
    while (this.#accept("|")) commands.push(this.#command());
    for (const late of commands.slice(1)) this.#mustCall(late);
    if (declares) this.#variables.push(...variables);
    return { variables, declares, commands, at, end: this.#previousEnd() };
  }

  /** Only something that takes arguments can stand behind a bar. */
  #mustCall(command: Invocation): void {
    const head = command.words[0];
    if (head?.kind !== "constant" && head?.kind !== "dot") return;
    const text = this.source.slice(head.at, head.end);
    throw parseError(this.source, head.at, `non executable command in pipeline stage 2: ${text}`);
  }

  #declaration(range: boolean): { variables: readonly string[]; declares: boolean } {
    const none = { variables: [], declares: false };
    if (this.#peek().kind !== "variable") return none;
    const second = range && this.#peek(1).text === "," && this.#peek(2).kind === "variable";
    const sign = this.#peek(second ? 3 : 1);
    if (sign.kind !== "punctuation" || (sign.text !== ":=" && sign.text !== "=")) return none;
    const variables = [this.#take().text];
    if (second) {
      this.#take();
      variables.push(this.#take().text);
    }
    this.#take();
    if (sign.text === "=") for (const name of variables) this.#mustKnow(name, sign);
    return { variables, declares: sign.text === ":=" };
  }

  #command(): Invocation {
    const words: Expression[] = [];
    while (!this.#atEnd()) words.push(this.#operand());
    const token = this.#peek();
    const first = words[0];
    if (first === undefined) throw this.#fail(token, "missing value for command");
    return { words, at: first.at, end: this.#previousEnd() };
  }

  #atEnd(): boolean {
    const { kind, text } = this.#peek();
    return kind === "close" || kind === "end" || (kind === "punctuation" && (text === "|" || text === ")"));
  }

  #operand(): Expression {
    const first = this.#peek();
    const term = this.#term();
    const mark = this.#peek().at;
    const names = this.#moreFields();
    if (names.length === 0) return term;
    if (term.kind === "constant") throw this.#fail(first, `unexpected . after term ${JSON.stringify(first.text)}`);
    return { kind: "field", base: term, names, at: term.at, end: this.#previousEnd(), mark };
  }

  #term(): Expression {
    const token = this.#take();
    const span = { at: token.at, end: token.end };
    switch (token.kind) {
      case "dot":
        return { kind: "dot", ...span };
      case "field":
        return this.#fields(token);
      case "variable":
        this.#mustKnow(token.text, token);
        return { kind: "variable", name: token.text, ...span };
      case "number":
        return { kind: "constant", value: Number(token.text), ...span };
      case "string":
        return { kind: "constant", value: this.#literal(token), ...span };
      case "word":
        return this.#word(token);
      default:
        return this.#parenthesis(token);
    }
  }

  #fields(first: Token): Expression {
    const mark = this.#peek().at;
    const more = this.#moreFields();
    const span = { at: first.at, end: this.#previousEnd(), ...(more.length > 0 ? { mark } : {}) };
    return { kind: "field", names: [first.text, ...more], ...span };
  }

  /** A character literal is a number in Go. */
  #literal(token: Token): string | number {
    return this.source[token.at] === "'" ? (token.text.codePointAt(0) ?? 0) : token.text;
  }

  #moreFields(): string[] {
    const names: string[] = [];
    while (this.#peek().kind === "field" && !this.#peek().spaced) names.push(this.#take().text);
    return names;
  }

  #word(token: Token): Expression {
    const span = { at: token.at, end: token.end };
    if (constants.has(token.text)) return { kind: "constant", value: constants.get(token.text), ...span };
    if (!this.functions.has(token.text)) {
      throw this.#fail(token, `function ${JSON.stringify(token.text)} not defined`);
    }
    return { kind: "function", name: token.text, ...span };
  }

  #parenthesis(token: Token): Expression {
    if (token.kind === "end") throw this.#fail(token, "unclosed action");
    if (token.text !== "(") throw this.#fail(token, `unexpected ${JSON.stringify(token.text)} in operand`);
    const pipeline = this.#pipeline();
    if (!this.#accept(")")) throw this.#fail(this.#peek(), "unclosed left paren");
    return { kind: "pipeline", pipeline, at: token.at, end: this.#previousEnd() };
  }

  #mustKnow(name: string, token: Token): void {
    if (!this.#variables.includes(name)) throw this.#fail(token, `undefined variable ${JSON.stringify(name)}`);
  }

  #opens(word: string): boolean {
    return this.#peek().kind === "open" && this.#peek(1).kind === "word" && this.#peek(1).text === word;
  }

  #close(): void {
    const token = this.#take();
    if (token.kind === "close") return;
    throw this.#fail(token, `unexpected ${JSON.stringify(token.text)} in ${token.kind === "end" ? "end" : "command"}`);
  }

  #accept(text: string): boolean {
    const token = this.#peek();
    if (token.kind !== "punctuation" || token.text !== text) return false;
    this.#take();
    return true;
  }

  #peek(ahead = 0): Token {
    const last = this.tokens[this.tokens.length - 1];
    const token = this.tokens[this.#next + ahead] ?? last;
    if (token === undefined) throw new Error("a template always has an end token");
    return token;
  }

  #take(): Token {
    const token = this.#peek();
    this.#next++;
    return token;
  }

  #previousEnd(): number {
    return this.tokens[this.#next - 1]?.end ?? 0;
  }

  #fail(token: Token, message: string): TemplateError {
    return parseError(this.source, token.at, message);
  }
}
