import { mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { writeFileAtomic } from "../../state/atomic-file.ts";
import { UsageError } from "../usage-error.ts";
import type { Flags } from "./flags.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** docker's config.json or containers' auth.json, as far as logins go; all else in it stays as it is. */
interface AuthFile {
  readonly auths?: Readonly<Record<string, { readonly auth?: string }>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

/** The file that the flags name; podman takes one of its two names for it. */
export function namedFile(flags: Flags): string | undefined {
  const [own, compatible] = [flags.text("authfile"), flags.text("compat-auth-file")];
  if (own === undefined || compatible === undefined) return own ?? compatible;
  const what = "options for paths to the credential file and to the Docker-compatible credential file";
  throw new UsageError(`${what} can not be set simultaneously`, 1, true);
}

/**
 * The file that logins are written to: the one that is named, REGISTRY_AUTH_FILE, or docker's config.json; called as skopeo,
 * containers' auth.json.
 */
export function loginFile(env: Env, named: string | undefined, asSkopeo: boolean): string {
  const only = named ?? env.REGISTRY_AUTH_FILE;
  if (only !== undefined && only !== "") return only;
  if (!asSkopeo || env.DOCKER_CONFIG)
    return join(env.DOCKER_CONFIG || join(env.HOME ?? homedir(), ".docker"), "config.json");
  const runtime = env.XDG_RUNTIME_DIR || `/run/containers/${process.geteuid?.() ?? 0}`;
  return join(runtime, env.XDG_RUNTIME_DIR ? "containers/auth.json" : "auth.json");
}

/** A registry as logins are filed under it: without scheme and path; Docker Hub has an old name. */
export function registryKey(text: string): { readonly domain: string; readonly key: string } {
  const domain = text.replace(/^https?:\/\//, "").split("/", 1)[0] ?? "";
  if (!/^[A-Za-z0-9.-]+(:\d+)?$|^\[[0-9a-fA-F:]+\](:\d+)?$/.test(domain)) {
    throw new GalleyError("invalid_argument", `${JSON.stringify(text)} is not the name of a registry`, {
      op: "log in",
    });
  }
  const hub = domain === "docker.io" || domain === "index.docker.io" || domain === "registry-1.docker.io";
  return hub ? { domain: "docker.io", key: "https://index.docker.io/v1/" } : { domain, key: domain };
}

/** Keeps a login, in the credential helper that the file names for the registry, else in the file itself. */
export async function storeLogin(
  path: string,
  key: string,
  login: { readonly username: string; readonly password: string },
): Promise<"helper" | "file"> {
  const file = readFile(path);
  const helper = helperOf(file, key);
  if (helper !== undefined) {
    await runHelper(
      helper,
      "store",
      JSON.stringify({ ServerURL: key, Username: login.username, Secret: login.password }),
    );
    return "helper";
  }
  const auth = Buffer.from(`${login.username}:${login.password}`).toString("base64");
  writeFile(path, { ...file, auths: { ...file.auths, [key]: { auth } } });
  return "file";
}

/** Forgets logins: one, or without a key all. Gives whether there was one. */
export async function eraseLogin(path: string, key: string | undefined): Promise<boolean> {
  const file = readFile(path);
  const auths = { ...file.auths };
  const keys =
    key === undefined
      ? Object.keys(auths)
      : Object.keys(auths).filter((one) => one === key || registryKey(one).key === key);
  for (const one of key === undefined ? keys : [key]) {
    const helper = helperOf(file, one);
    if (helper !== undefined) await runHelper(helper, "erase", one);
  }
  for (const one of keys) delete auths[one];
  if (keys.length > 0) writeFile(path, { ...file, auths });
  return keys.length > 0;
}

function helperOf({ credHelpers, credsStore }: AuthFile, key: string): string | undefined {
  const name = credHelpers?.[key] ?? credsStore;
  return name === undefined || name === "" ? undefined : name;
}

async function runHelper(name: string, verb: "store" | "erase", input: string): Promise<void> {
  const { runHelper: run } = await import("../../image/transports/registry/credential-helper.ts");
  const program = `docker-credential-${name}`;
  if (name.includes("/"))
    throw new GalleyError("failed_precondition", "its name must not be a path", { subject: program });
  const { status, output } = await run([program, verb], input, process.env);
  if (status === 0) return;
  throw new GalleyError(
    "failed_precondition",
    `the credential helper failed: exit status ${status}: ${output.trim().slice(0, 200)}`,
    {
      op: `${verb} login`,
      subject: program,
    },
  );
}

function readFile(path: string): AuthFile {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (failure) {
    const fault = toGalleyError(failure, { op: "read logins", subject: path });
    if (fault.code === "not_found") return {};
    throw fault;
  }
  try {
    const value: unknown = JSON.parse(text === "" ? "{}" : text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // The same fault as JSON that is no object.
  }
  throw new GalleyError("failed_precondition", "not a JSON object", {
    op: "read logins",
    subject: path,
    hint: "repair or remove the file",
  });
}

function writeFile(path: string, file: AuthFile): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileAtomic(path, `${JSON.stringify(file, undefined, "\t")}\n`);
  } catch (failure) {
    throw toGalleyError(failure, { op: "write logins", subject: path });
  }
}
