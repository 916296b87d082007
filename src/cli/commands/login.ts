import { GalleyError, toGalleyError } from "../../errors.ts";
import type { RegistryCredentials } from "../../image/types.ts";
import type { Cli } from "../cli.ts";
import { defineCommand } from "../command.ts";
import { bool, string } from "../flags/kinds.ts";
import { Answers } from "../places/ask.ts";
import { Flags } from "../places/flags.ts";
import { loginFile, namedFile, registryKey, storeLogin } from "../places/logins.ts";
import { registryOptions } from "../places/options.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [REGISTRY]",
  summary: "Log in to a registry",
  flags: {
    password: string({ short: "p", usage: "Password or personal access token (PAT)" }),
    "password-stdin": bool({ usage: "Take the password from standard input" }),
    username: string({ short: "u", usage: "Username" }),
    authfile: string({ usage: "Path of the file to keep the login in" }),
    "compat-auth-file": string({ usage: "As --authfile, in docker's format (which all are)" }),
    "cert-dir": string({ usage: "Use certificates at the specified path to access the registry" }),
    "get-login": bool({ usage: "Return the current login user for the registry" }),
    "tls-verify": bool({ usage: "Require HTTPS and verify certificates when accessing the registry" }),
    verbose: bool({ short: "v", usage: "Say where the login is kept" }),
    "as-skopeo": bool({ usage: "", hidden: true }),
  },
  args: { least: 0, most: 1 },
  async run({ cli, flags: values, args: [registry = "docker.io"], changed }) {
    const flags = new Flags(values, changed);
    const { domain, key } = registryKey(registry);
    if (flags.truth("get-login")) return showLogin(cli, flags, domain);
    const named = namedFile(flags);
    const login = await readLogin(cli, flags);
    cli.leaveWhenDone();
    await checkLogin(cli, flags, domain, login);
    const path = loginFile(cli.env, named, flags.truth("as-skopeo"));
    const where = await storeLogin(path, key, login);
    if (flags.truth("verbose")) cli.out(`Used:  ${path}\n`);
    if (where === "file" && !flags.truth("as-skopeo"))
      cli.err(`WARNING! Your credentials are stored unencrypted in '${path}'.\n`);
    cli.out(flags.truth("as-skopeo") ? "Login Succeeded!\n" : "Login Succeeded\n");
    return 0;
  },
});

async function showLogin(cli: Cli, flags: Flags, domain: string): Promise<number> {
  const { findCredentials } = await import("../../image/transports/registry/credentials.ts");
  const found = await findCredentials(domain, "", registryOptions(cli, flags, "").env ?? cli.env);
  if (found?.kind !== "password") throw new GalleyError("not_found", `not logged into ${domain}`);
  cli.out(`${found.username}\n`);
  return 0;
}

type Login = Extract<RegistryCredentials, { readonly kind: "password" }>;

async function readLogin(cli: Cli, flags: Flags): Promise<Login> {
  const given = flags.text("password");
  const user = flags.text("username");
  const answers = new Answers(cli);
  if (flags.truth("password-stdin")) {
    if (given !== undefined) throw new UsageError("--password and --password-stdin are mutually exclusive", 1, true);
    if (user === undefined) throw new UsageError("Must provide --username with --password-stdin", 1, true);
    return { kind: "password", username: user, password: (await answers.all()).replace(/\r?\n$/, "") };
  }
  if (given !== undefined && user !== undefined) {
    if (!flags.truth("as-skopeo"))
      cli.err("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n");
    return { kind: "password", username: user, password: given };
  }
  const username = user ?? (await answers.line("Username: ")).trim();
  if (username === "") throw new GalleyError("invalid_argument", "username is empty", { op: "log in" });
  const password = given ?? (await answers.secret("Password: "));
  if (password === "") throw new GalleyError("invalid_argument", "password is empty", { op: "log in" });
  return { kind: "password", username, password };
}

/** Asks the registry itself, which answers `GET /v2/` to those whom it knows. */
async function checkLogin(cli: Cli, flags: Flags, domain: string, credentials: Login): Promise<void> {
  const { RegistryClients } = await import("../../image/transports/registry/clients.ts");
  const clients = new RegistryClients({ ...registryOptions(cli, flags, ""), token: undefined, credentials });
  try {
    const client = await clients.of({ domain, path: "" });
    const api = { method: "GET", path: "", op: "log in", subject: domain, scope: "" } as const;
    await client.retrying({}, async () => (await client.attempt(api, {})).discard());
  } catch (failure) {
    const { code } = toGalleyError(failure);
    if (code !== "unauthenticated" && code !== "permission_denied") throw failure;
    throw new GalleyError("unauthenticated", `logging into ${JSON.stringify(domain)}: invalid username/password`, {
      cause: failure,
    });
  }
}
