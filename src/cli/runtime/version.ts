import { calledName } from "../called-as.ts";
import { version } from "../version.ts";

/** The specification whose configurations are read. */
export const specVersion = "1.3.0";

/** The versions of other runtimes whose commands and flags are taken, where one is called by their names. */
const taken: Readonly<Record<string, string>> = { runc: "1.5.0", crun: "1.28" };

/** In runc's lines, which managers read: who this is, what it was built from, the specification. */
export function runtimeVersion(): string {
  const name = calledName();
  const other = taken[name];
  const own = `galley ${version}`;
  const first = other === undefined ? `galley version ${version}` : `${name} version ${other} (${own})`;
  return `${first}\ncommit: ${own}\nspec: ${specVersion}\n`;
}
