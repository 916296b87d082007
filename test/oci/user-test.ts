/** Tests that run the runtime as a user without privileges. */
import { test } from "bun:test";
import { galleyProgram } from "../harness/galley.ts";
import { patience } from "../harness/patience.ts";
import { missing } from "../harness/requirements.ts";

export const USER = 1000;

/** What makes a command the user's, as setpriv(1). @param groups its flag for supplementary groups */
export function becomeUser(groups: string): readonly string[] {
  return ["setpriv", `--reuid=${USER}`, `--regid=${USER}`, groups];
}

/** As testWith: the user must be able to run the program that is tested, which may lie in root's home. */
export function userTests(...commands: readonly string[]): (name: string, body: () => Promise<void>) => void {
  const lacking = reason(commands);
  return (name, body) => {
    const shown = lacking === undefined ? name : `${name} (${lacking})`;
    test.skipIf(lacking !== undefined)(shown, body, 60_000 * patience);
  };
}

function reason(commands: readonly string[]): string | undefined {
  const paths = ["/bin/busybox", "/proc/self/ns/user"];
  const lacking = missing({ root: true, commands: ["setpriv", ...commands], paths });
  if (lacking !== undefined) return lacking;
  const { exitCode } = Bun.spawnSync([...becomeUser("--clear-groups"), galleyProgram(), "--version"]);
  return exitCode === 0 ? undefined : "needs a program that every user may run";
}
