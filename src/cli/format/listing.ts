import { GalleyError } from "../../errors.ts";
import { alignTabs } from "./tabwriter.ts";
import { TemplateError } from "./template/error.ts";
import { headingFunctions } from "./template/functions.ts";
import { type CompiledTemplate, compileTemplate } from "./template/template.ts";
import { Methods, type Value } from "./template/values.ts";

/** What a list of things is printed from. */
export interface Listing {
  /** docker's `--format`: `json`, a template, or `table` with one. */
  readonly format: string;
  readonly rows: readonly Methods[];
  /** Table headings by the names that the rows answer to. */
  readonly headings: Readonly<Record<string, string>>;
}

/** A list as text, each row on a line of its own. Throws `invalid_argument` where the template is wrong. */
export function renderListing({ format, rows, headings }: Listing): string {
  const isTable = format.startsWith("table");
  const source = templateSource(format);
  const template = compile(source);
  const lines = rows.map((row) => `${render(template, row)}\n`).join("");
  if (!isTable) return lines;
  return alignTabs(`${render(template, headingValues(headings), true)}\n${lines}`);
}

/** A backslash with t or n is a tab or line break: shells make it hard to type one. */
function templateSource(format: string): string {
  if (format === "json") return "{{json .}}";
  const source = format.startsWith("table") ? format.slice("table".length) : format;
  return source
    .replace(/^ +| +$/g, "")
    .replaceAll("\\t", "\t")
    .replaceAll("\\n", "\n");
}

function headingValues(headings: Readonly<Record<string, string>>): Value {
  const plain: Record<string, (...args: readonly Value[]) => Value> = {};
  for (const [name, heading] of Object.entries(headings)) plain[name] = () => heading;
  plain.Label = (name: Value) => String(name).split(".").at(-1)?.replace(/[-_]/g, " ") ?? "";
  return new Methods("formatter.SubHeaderContext", plain);
}

function compile(source: string): CompiledTemplate {
  try {
    return compileTemplate(source);
  } catch (failure) {
    throw templateFailure(failure);
  }
}

function render(template: CompiledTemplate, row: Value, heading = false): string {
  try {
    return heading ? template.render(row, headingFunctions()) : template.render(row);
  } catch (failure) {
    throw templateFailure(failure);
  }
}

/** A template's own mistake as docker words it; anything else as it is. */
export function templateFailure(failure: unknown): unknown {
  if (!(failure instanceof TemplateError)) return failure;
  return new GalleyError("invalid_argument", `template parsing error: ${failure.message}`);
}
