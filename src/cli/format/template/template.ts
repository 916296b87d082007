import { evaluateTemplate } from "./evaluate.ts";
import { type Functions, standardFunctions } from "./functions.ts";
import { parseTemplate } from "./parser.ts";
import type { Value } from "./values.ts";

/** A template ready to be given values. */
export interface CompiledTemplate {
  /** Throws TemplateError. `functions` replaces the standard ones; it must have the same names. */
  render(data: Value, functions?: Functions): string;
}

/**
 * Reads a Go template with docker's functions. Throws TemplateError where it cannot be read.
 */
export function compileTemplate(source: string): CompiledTemplate {
  const standard = standardFunctions();
  const template = parseTemplate(source, new Set(Object.keys(standard)));
  return { render: (data, functions = standard) => evaluateTemplate(template, data, functions) };
}
