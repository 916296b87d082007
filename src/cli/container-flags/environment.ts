import { type FileSource, readKeyValueFile } from "./key-value-file.ts";

/** Files first, so that what is given by name wins. A bare name takes its value from the caller's environment, if it has one. */
export function environment(files: readonly string[], given: readonly string[], source: FileSource): readonly string[] {
  const fromFiles = files.flatMap((path) => readKeyValueFile(path, source, true));
  const named = given.flatMap((text) => {
    if (text.includes("=")) return [text];
    const value = source.env[text];
    return value === undefined ? [] : [`${text}=${value}`];
  });
  return [...fromFiles, ...named];
}

/** Checks what `--env` is given: `NAME=value`, or a bare name. Throws an Error where there is no name. */
export function variable(text: string): string {
  if (text === "" || text.startsWith("=")) throw new Error(`invalid environment variable: ${text}`);
  return text;
}
