import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { GalleyError, toGalleyError } from "../../../errors.ts";
import { AUTH_FILES } from "../../registries/conf.ts";
import type { RegistryCredentials } from "../../types.ts";
import type { Environment } from "./certificates.ts";
import { askHelper, type HelperRunner, runHelper } from "./credential-helper.ts";

/** The parts of docker's config.json and containers' auth.json that concern logins. */
interface AuthFile {
  readonly auths?: Readonly<Record<string, AuthEntry>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

interface AuthEntry {
  /** Base64 of `name:password`. */
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

/** The key under which logins at Docker Hub are kept, for historical reasons. */
const HUB_KEY = "https://index.docker.io/v1/";

/**
 * The login for a repository, from the user's own files: REGISTRY_AUTH_FILE alone if it is set, else docker's config.json (in
 * DOCKER_CONFIG or ~/.docker), else containers' auth.json. In a file a helper for the registry is asked first, then the default
 * helper, then the logins written in it; a key may name a part of a registry (`host/team`), and the longest one wins.
 */
export async function findCredentials(
  domain: string,
  path: string,
  env: Environment,
  { helpers = [AUTH_FILES], run = runHelper }: FindOptions = {},
): Promise<RegistryCredentials | undefined> {
  for (const helper of helpers) {
    const found =
      helper === AUTH_FILES
        ? await filedCredentials(domain, path, env, run)
        : await askHelper(helper, keyOf(domain), env, run);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Where else logins are looked for. */
export interface FindOptions {
  /** `credential-helpers` of registries.conf: asked in this order, `containers-auth.json` stands for the files. */
  readonly helpers?: readonly string[];
  readonly run?: HelperRunner;
}

async function filedCredentials(
  domain: string,
  path: string,
  env: Environment,
  run: HelperRunner,
): Promise<RegistryCredentials | undefined> {
  for (const file of authFiles(env)) {
    const found = await credentialsIn(file, domain, path, env, run);
    if (found !== undefined) return found;
  }
  return undefined;
}

function authFiles(env: Environment): readonly string[] {
  const only = env.REGISTRY_AUTH_FILE;
  if (only !== undefined && only !== "") return [only];
  const home = env.HOME ?? homedir();
  const runtime = env.XDG_RUNTIME_DIR;
  return [
    join(env.DOCKER_CONFIG ?? join(home, ".docker"), "config.json"),
    ...(runtime === undefined ? [] : [join(runtime, "containers", "auth.json")]),
    join(env.XDG_CONFIG_HOME ?? join(home, ".config"), "containers", "auth.json"),
  ];
}

async function credentialsIn(
  file: string,
  domain: string,
  path: string,
  env: Environment,
  run: HelperRunner,
): Promise<RegistryCredentials | undefined> {
  const content = readAuthFile(file);
  if (content === undefined) return undefined;
  const helper = content.credHelpers?.[keyOf(domain)] ?? content.credHelpers?.[domain] ?? content.credsStore;
  const stored = helper === undefined || helper === "" ? undefined : await askHelper(helper, keyOf(domain), env, run);
  return stored ?? written(content.auths ?? {}, domain, path, file);
}

function readAuthFile(file: string): AuthFile | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (failure) {
    const fault = toGalleyError(failure, { op: "read logins", subject: file });
    if (fault.code === "not_found" || fault.code === "permission_denied") return undefined;
    throw fault;
  }
  try {
    return JSON.parse(text === "" ? "{}" : text) as AuthFile;
  } catch (cause) {
    const hint = "repair or remove the file";
    throw new GalleyError("failed_precondition", "not valid JSON", { op: "read logins", subject: file, hint, cause });
  }
}

function keyOf(domain: string): string {
  return domain === "docker.io" ? HUB_KEY : domain;
}

/** `https://host/v1/` and `host` are the same place. */
function normalKey(key: string): string {
  const bare = key.replace(/^https?:\/\//, "").replace(/\/(v1|v2)?\/?$/, "");
  return bare.replace(/^(index\.docker\.io|registry-1\.docker\.io)(?=\/|$)/, "docker.io");
}

function written(
  auths: Readonly<Record<string, AuthEntry>>,
  domain: string,
  path: string,
  file: string,
): RegistryCredentials | undefined {
  const target = `${domain}/${path}`;
  const keys = Object.keys(auths)
    .filter((key) => target.startsWith(`${normalKey(key)}/`) || target === normalKey(key))
    .sort((a, b) => normalKey(b).length - normalKey(a).length);
  for (const key of keys) {
    const found = credentialsOf(auths[key] ?? {}, key, file);
    if (found !== undefined) return found;
  }
  return undefined;
}

function credentialsOf(entry: AuthEntry, key: string, file: string): RegistryCredentials | undefined {
  if (entry.identitytoken !== undefined && entry.identitytoken !== "") {
    return { kind: "identity", token: entry.identitytoken };
  }
  if (entry.username !== undefined && entry.password !== undefined) {
    return { kind: "password", username: entry.username, password: entry.password };
  }
  if (entry.auth === undefined || entry.auth === "") return undefined;
  const decoded = Buffer.from(entry.auth, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  if (colon > 0) {
    // Docker once padded the password with zero bytes.
    const password = decoded.slice(colon + 1).replace(/\0+$/, "");
    return { kind: "password", username: decoded.slice(0, colon), password };
  }
  throw new GalleyError("failed_precondition", `the login for ${key} is not base64 of name:password`, {
    op: "read logins",
    subject: file,
    hint: "log in again",
  });
}
