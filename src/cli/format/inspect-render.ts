import { GalleyError } from "../../errors.ts";
import { shapeDocument } from "./inspect-shape.ts";
import { templateFailure } from "./listing.ts";
import { TemplateError } from "./template/error.ts";
import { type CompiledTemplate, compileTemplate } from "./template/template.ts";

/** EX_USAGE of sysexits(3): docker's inspect ends with it where the template cannot be read. */
const PARSE_STATUS = 64;

/** Prints inspect documents: as an indented array, as compact JSON, or each through a template. */
export interface InspectRenderer {
  add(document: Record<string, unknown>): void;
  /** What is printed once everything was added; without documents `[]`, or an empty line of a template. */
  text(): string;
}

/** Throws `invalid_argument` with exit status 64 where the template cannot be read. */
export function inspectRenderer(format: string): InspectRenderer {
  if (format === "" || format === "json") return new JsonRenderer(format === "json");
  return new TemplateRenderer(readTemplate(format));
}

class JsonRenderer implements InspectRenderer {
  readonly #documents: Record<string, unknown>[] = [];

  constructor(readonly compact: boolean) {}

  add(document: Record<string, unknown>): void {
    this.#documents.push(document);
  }

  text(): string {
    return `${JSON.stringify(this.#documents, undefined, this.compact ? undefined : 4)}\n`;
  }
}

class TemplateRenderer implements InspectRenderer {
  #text = "";

  constructor(readonly template: CompiledTemplate) {}

  add(document: Record<string, unknown>): void {
    try {
      this.#text += `${this.template.render(shapeDocument(document))}\n`;
    } catch (failure) {
      throw templateFailure(failure);
    }
  }

  text(): string {
    return this.#text === "" ? "\n" : this.#text;
  }
}

function readTemplate(format: string): CompiledTemplate {
  try {
    return compileTemplate(format);
  } catch (failure) {
    if (!(failure instanceof TemplateError)) throw failure;
    const message = `template parsing error: ${failure.message}`;
    throw new GalleyError("invalid_argument", message, { exitStatus: PARSE_STATUS });
  }
}
