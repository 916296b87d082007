import { existsSync, readFileSync } from "node:fs";
import { GalleyError } from "../../../errors.ts";

/** The variable that names the file with the key providers. */
export const CONFIG_VARIABLE = "OCICRYPT_KEYPROVIDER_CONFIG";

/** Bytes of an answer at most: as many as gRPC's clients take. */
export const MAX_ANSWER = 4 << 20;

/** How a key provider is asked (ocicrypt's config/keyprovider-config). */
export interface ProviderSettings {
  readonly cmd?: { readonly path?: string; readonly args?: readonly string[] } | null;
  /** An address, as gRPC has them. */
  readonly grpc?: string;
  readonly "grpc-tls"?: ProviderTls | null;
}

/** Files are PEM; without `root-ca-file` the system's authorities count. */
export interface ProviderTls {
  readonly "root-ca-file"?: string;
  readonly "cert-file"?: string;
  readonly "key-file"?: string;
  readonly "server-name"?: string;
  readonly "insecure-skip-verify"?: boolean;
}

/** The key providers that there are, by name; a file that is not there has none. Errors: `invalid_argument`. */
export function readProviders(env: NodeJS.ProcessEnv = process.env): ReadonlyMap<string, ProviderSettings> {
  const path = env[CONFIG_VARIABLE] ?? "";
  if (path === "" || !existsSync(path)) return new Map();
  try {
    const document = JSON.parse(readFileSync(path, "utf8"));
    return new Map(Object.entries(document["key-providers"] ?? {}));
  } catch (cause) {
    const why = "Error while parsing keyprovider config file";
    throw new GalleyError("invalid_argument", why, { op: "read", subject: path, cause });
  }
}
