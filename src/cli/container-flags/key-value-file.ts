import { GalleyError } from "../../errors.ts";

/** What reading option files needs of the world. */
export interface FileSource {
  /** Throws where the file cannot be read. */
  readFile(path: string): Uint8Array;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The lines of an `--env-file` or `--label-file`: `NAME=value` each, taken as they are, quotes included; white space before a
 * name, empty lines and lines that begin with `#` are skipped. A bare NAME takes its value from the environment when
 * `fromEnvironment` is set, and is left out otherwise or where there is none.
 */
export function readKeyValueFile(path: string, source: FileSource, fromEnvironment: boolean): readonly string[] {
  const lines = decode(path, source).split(/\r?\n/);
  return lines.flatMap((line) => entry(path, line.replace(/^\s+/, ""), fromEnvironment ? source.env : undefined));
}

function decode(path: string, source: FileSource): string {
  const bytes = source.readFile(path);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalid(path, "it is not UTF-8 text");
  }
}

function entry(path: string, line: string, env: FileSource["env"] | undefined): readonly string[] {
  if (line === "" || line.startsWith("#")) return [];
  const at = line.indexOf("=");
  const name = at < 0 ? line : line.slice(0, at);
  if (name === "") throw invalid(path, `no variable name on line '${line}'`);
  if (/[ \t]/.test(name)) throw invalid(path, `variable '${name}' contains whitespaces`);
  if (at >= 0) return [line];
  const value = env?.[name];
  return value === undefined ? [] : [`${name}=${value}`];
}

function invalid(path: string, message: string): GalleyError {
  return new GalleyError("invalid_argument", `invalid env file (${path}): ${message}`);
}
