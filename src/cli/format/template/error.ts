import type { Span } from "./ast.ts";

/** A template that cannot be read or carried out; the message has docker's form, `template: :LINE:COLUMN: …`. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";

  constructor(
    message: string,
    /** While reading the template, before any value was looked at. */
    readonly phase: "parse" | "execute",
  ) {
    super(message);
  }
}

/** A template that cannot be read; `at` is an offset into `source`. */
export function parseError(source: string, at: number, message: string): TemplateError {
  return new TemplateError(`template: :${lineOf(source, at)}: ${message}`, "parse");
}

/** A step that cannot be carried out: the part of the template that `span` covers. */
export function executeError(source: string, span: Span, message: string): TemplateError {
  const { at, end, mark = at } = span;
  const column = mark - (source.lastIndexOf("\n", mark - 1) + 1);
  const where = `template: :${lineOf(source, mark)}:${column}`;
  return new TemplateError(`${where}: executing "" at <${source.slice(at, end)}>: ${message}`, "execute");
}

function lineOf(source: string, at: number): number {
  return source.slice(0, at).split("\n").length;
}
