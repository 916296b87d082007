import type { OptionParsers } from "./spec.ts";

/** The engine's readers of textual options. */
export function engineParsers(): OptionParsers {
  throw new Error("no parsers");
}
