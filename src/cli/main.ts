import { version } from "./version.ts";

/**
 * The command line: `argv` without the program's own name. Resolves with the exit status; everything has been written by then.
 * This module stays as small as `--version` needs: the rest loads with the command that is called.
 */
export async function main(argv: readonly string[]): Promise<number> {
  if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-v")) {
    console.log(`galley version ${version}`);
    return 0;
  }
  const { dispatch } = await import("./dispatch.ts");
  return dispatch(argv);
}
