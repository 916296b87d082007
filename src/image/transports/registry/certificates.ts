import { readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { GalleyError, toGalleyError } from "../../../errors.ts";

/** PEM texts for a TLS connection. Absent authorities mean those built into the program. */
export interface TlsMaterial {
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
}

/** Environment variables, injected so that tests need not change the process's own. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where distributions keep the host's certificate authorities, in the order that Go programs look. */
const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * What to trust and to show at `host` (with its port, if it has one). The host's authorities (`SSL_CERT_FILE` and
 * `SSL_CERT_DIR` replace them, as for Go programs) and those in `certs.d/HOST/*.crt` of docker and containers; a client
 * certificate `NAME.cert` with its key `NAME.key` from the same directories.
 * @param only the one directory to look in, in place of those of certs.d
 */
export function tlsMaterial(host: string, env: Environment, only?: string): TlsMaterial {
  const directories = only === undefined ? certificateDirectories(host, env) : [only];
  const extra = directories.flatMap((directory) => pemsIn(directory, ".crt"));
  const system = systemAuthorities(env);
  const client = directories.map(clientCertificate).find((pair) => pair !== undefined);
  if (system === undefined && extra.length === 0) return { ...client };
  return { ca: [...(system ?? builtInAuthorities()), ...extra], ...client };
}

function certificateDirectories(host: string, env: Environment): readonly string[] {
  const config = env.XDG_CONFIG_HOME ?? join(env.HOME ?? homedir(), ".config");
  const roots = [`${config}/containers`, `${config}/docker`, "/etc/containers", "/etc/docker"];
  return roots.map((root) => join(root, "certs.d", host));
}

function systemAuthorities(env: Environment): readonly string[] | undefined {
  const file = env.SSL_CERT_FILE;
  const directory = env.SSL_CERT_DIR;
  const named = [
    ...(file === undefined ? [] : [readPem(file)]),
    ...(directory ?? "")
      .split(":")
      .filter(Boolean)
      .flatMap((path) => pemsIn(path, "")),
  ];
  if (named.length > 0) return named;
  const bundle = systemBundles.find((path) => statSync(path, { throwIfNoEntry: false }) !== undefined);
  return bundle === undefined ? undefined : [readPem(bundle)];
}

function builtInAuthorities(): readonly string[] {
  return process.getBuiltinModule("node:tls").rootCertificates;
}

function clientCertificate(directory: string): { readonly cert: string; readonly key: string } | undefined {
  const name = namesIn(directory).find((entry) => entry.endsWith(".cert"));
  if (name === undefined) return undefined;
  const cert = join(directory, name);
  const key = cert.replace(/\.cert$/, ".key");
  if (statSync(key, { throwIfNoEntry: false }) !== undefined) return checkedPair(cert, key);
  throw new GalleyError("failed_precondition", "the key of this client certificate is missing", {
    op: "read",
    subject: cert,
    hint: `put it at ${key}`,
  });
}

/** What does not belong together would be told by the connection in words about something else. */
function checkedPair(certFile: string, keyFile: string): { readonly cert: string; readonly key: string } {
  const [cert, key] = [readPem(certFile), readPem(keyFile)];
  const { X509Certificate, createPrivateKey } = process.getBuiltinModule("node:crypto");
  let belongs: boolean;
  try {
    belongs = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    throw clientFault("the client certificate or its key cannot be read", certFile, cause);
  }
  if (!belongs) throw clientFault(`the key ${keyFile} is not this client certificate's`, certFile);
  return { cert, key };
}

function clientFault(message: string, subject: string, cause?: unknown): GalleyError {
  return new GalleyError("failed_precondition", message, { op: "read certificates", subject, cause });
}

function pemsIn(directory: string, suffix: string): readonly string[] {
  return namesIn(directory)
    .filter(
      (name) => name.endsWith(suffix) && statSync(join(directory, name), { throwIfNoEntry: false })?.isFile() === true,
    )
    .map((name) => readPem(join(directory, name)));
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return []; // Most hosts have no such directory, and one that cannot be read adds nothing.
  }
}

function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (failure) {
    throw toGalleyError(failure, { op: "read certificates", subject: path });
  }
}
