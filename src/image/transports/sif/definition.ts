/** Where the script is put that does what a definition file asks for. */
export const SCRIPT = "podman/runscript";

/** What a definition file says of what an image runs. */
export interface Definition {
  readonly environment: readonly string[];
  readonly script: readonly string[];
}

/**
 * The sections `%environment` and `%runscript` of a definition file (Apptainer user guide, "Definition Files"), with lines trimmed; of the
 * environment without empty lines and comments, as containers/image reads it.
 */
export function parseDefinition(text: string): Definition {
  const environment: string[] = [];
  const script: string[] = [];
  let section = "";
  for (const line of linesOf(text)) {
    if (line.startsWith("%")) section = line;
    else if (section === "%runscript") script.push(line);
    else if (section === "%environment" && line !== "" && !line.startsWith("#")) environment.push(line);
  }
  return { environment, script };
}

/** The text ends with its last line, whether or not that ends. */
function linesOf(text: string): readonly string[] {
  return text
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => line.trim());
}

/** The script that does both; `undefined` where there is nothing to do. */
export function scriptOf({ environment, script }: Definition): string | undefined {
  if (environment.length === 0 && script.length === 0) return undefined;
  return `#!/bin/bash\n${environment.join("\n")}\n${script.join("\n")}\n`;
}
