import type { Value } from "./values.ts";

/** Where in the source something stands. */
export interface Span {
  readonly at: number;
  readonly end: number;
  /** Where errors point to, when it is not the start: the second name of a chain. */
  readonly mark?: number;
}

export type Expression = Span &
  (
    | { readonly kind: "constant"; readonly value: Value }
    | { readonly kind: "dot" }
    | { readonly kind: "function"; readonly name: string }
    /** Names looked up one after the other, from `base` on; without it from the dot. */
    | { readonly kind: "field"; readonly base?: Expression; readonly names: readonly string[] }
    | { readonly kind: "variable"; readonly name: string }
    | { readonly kind: "pipeline"; readonly pipeline: Pipeline }
  );

/** A function, method or value with its arguments. */
export interface Invocation extends Span {
  readonly words: readonly Expression[];
}

/** Commands, each given the value of the one before as its last argument; then variables that take the result. */
export interface Pipeline extends Span {
  readonly variables: readonly string[];
  /** `:=` makes the variable, `=` changes it. */
  readonly declares: boolean;
  readonly commands: readonly Invocation[];
}

export type TemplateNode =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "print"; readonly pipeline: Pipeline }
  | ({ readonly kind: "branch"; readonly on: "if" | "with" | "range"; readonly pipeline: Pipeline } & Bodies)
  | { readonly kind: "break" }
  | { readonly kind: "continue" };

export interface Bodies {
  readonly body: readonly TemplateNode[];
  readonly otherwise: readonly TemplateNode[];
}

/** A template that was read. `source` is kept for error messages. */
export interface Template {
  readonly source: string;
  readonly nodes: readonly TemplateNode[];
}
