import { GalleyError } from "../../../errors.ts";
import type { RegistryCredentials } from "../../types.ts";
import type { Environment } from "./certificates.ts";

/** Runs a program with text on its standard input. */
export type HelperRunner = (
  command: readonly [program: string, ...words: readonly string[]],
  input: string,
  env: Environment,
) => Promise<{ readonly status: number; readonly output: string }>;

/** The real {@link HelperRunner}; a program that is missing ends with status 127. */
export const runHelper: HelperRunner = async ([program, ...words], input, env) => {
  const path = Bun.which(program, { PATH: env.PATH ?? "" });
  if (path === null) return { status: 127, output: "not found in PATH" };
  const child = Bun.spawn([path, ...words], {
    stdin: Buffer.from(input),
    stdout: "pipe",
    stderr: "inherit",
    env: { ...env },
  });
  const output = await new Response(child.stdout).text();
  return { status: await child.exited, output };
};

/** What helpers say, and docker knows, when they hold no login for a registry. */
const NOT_FOUND = "credentials not found in native keychain";

/** The user name by which a helper says that its secret is an identity token. */
const TOKEN_USER = "<token>";

/**
 * Asks `docker-credential-NAME get` for the login at a registry (docker-credential-helpers' protocol: the registry on standard
 * input, JSON with Username and Secret on standard output). `undefined` where it holds none.
 */
export async function askHelper(
  name: string,
  registry: string,
  env: Environment,
  run: HelperRunner,
): Promise<RegistryCredentials | undefined> {
  const program = `docker-credential-${name}`;
  if (name.includes("/")) throw helperFault(program, "its name must not be a path");
  const { status, output } = await run([program, "get"], registry, env);
  const text = output.trim();
  if (status !== 0) {
    if (text.includes(NOT_FOUND)) return undefined;
    throw helperFault(program, `exit status ${status}: ${text.slice(0, 200)}`);
  }
  const { Username, Secret } = parse(program, text);
  if (Secret === undefined || Secret === "") return undefined;
  return Username === TOKEN_USER
    ? { kind: "identity", token: Secret }
    : { kind: "password", username: Username ?? "", password: Secret };
}

function parse(program: string, text: string): { readonly Username?: string; readonly Secret?: string } {
  try {
    return JSON.parse(text) as { readonly Username?: string; readonly Secret?: string };
  } catch {
    throw helperFault(program, "its answer is not JSON");
  }
}

function helperFault(program: string, what: string): GalleyError {
  return new GalleyError("failed_precondition", `the credential helper failed: ${what}`, {
    op: "find login",
    subject: program,
    hint: "install it, or remove it from credsStore or credHelpers in ~/.docker/config.json",
  });
}
