import { calledName, runtimeNames } from "./called-as.ts";
import { version } from "./version.ts";

/** The version of skopeo whose flags we take. */
const SKOPEO = "1.22.0";

/**
 * The command line: `argv` without the program's own name. Resolves with the exit status; everything has been written by then.
 * This module stays as small as `--version` needs: the rest loads with the command that is called.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const name = calledName();
  if (runtimeNames.includes(name)) return runAsRuntime(argv);
  if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-v")) {
    console.log(name === "skopeo" ? `skopeo version ${SKOPEO} (galley ${version})` : `galley version ${version}`);
    return 0;
  }
  const { dispatch } = await import("./dispatch.ts");
  return name === "skopeo" ? dispatch(argv, (await import("./skopeo.ts")).skopeoArguments) : dispatch(argv);
}

async function runAsRuntime(argv: readonly string[]): Promise<number> {
  const [{ hostCli }, { runRuntime }] = await Promise.all([import("./host-cli.ts"), import("./runtime/runtime.ts")]);
  return runRuntime(hostCli(), argv);
}
