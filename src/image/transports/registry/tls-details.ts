import { readFileSync } from "node:fs";
import { GalleyError, toGalleyError } from "../../../errors.ts";

/** What containers-tls-details.yaml(5) says, as Bun's connections take it. Absent: their own choice. */
export interface TlsDetails {
  readonly minVersion?: number;
  /** Of TLS 1.2 and earlier, separated by colons; empty: none. */
  readonly ciphers?: string;
  /** In order of preference, separated by colons. */
  readonly ecdhCurve?: string;
}

const versions: Readonly<Record<string, number>> = { "1.0": 0x301, "1.1": 0x302, "1.2": 0x303, "1.3": 0x304 };

/** BoringSSL's names by IANA's. */
const groups: Readonly<Record<string, string>> = {
  secp256r1: "P-256",
  secp384r1: "P-384",
  secp521r1: "P-521",
  x25519: "X25519",
  X25519MLKEM768: "X25519MLKEM768",
};

const withKeyExchange = (suites: string) => suites.split(" ").map((suite) => `TLS_${suite}`);

/** What BoringSSL has, under IANA's names, which it takes. */
const suites = new Set([
  ...withKeyExchange("RSA_WITH_AES_128_CBC_SHA RSA_WITH_AES_256_CBC_SHA RSA_WITH_3DES_EDE_CBC_SHA"),
  ...withKeyExchange("RSA_WITH_AES_128_GCM_SHA256 RSA_WITH_AES_256_GCM_SHA384"),
  ...["RSA", "ECDSA"].flatMap((signed) =>
    [
      ...["AES_128_CBC_SHA", "AES_256_CBC_SHA", "AES_128_CBC_SHA256"],
      ...["AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256"],
    ].map((cipher) => `TLS_ECDHE_${signed}_WITH_${cipher}`),
  ),
]);

/** Known to peers' programs and never used here: those of TLS 1.3 are not to be chosen from, in Go neither; the others are too weak. */
const unused = new Set([
  ...["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"],
  ...withKeyExchange("RSA_WITH_AES_128_CBC_SHA256 ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"),
  ...withKeyExchange("RSA_WITH_RC4_128_SHA ECDHE_RSA_WITH_RC4_128_SHA ECDHE_ECDSA_WITH_RC4_128_SHA"),
]);

/** Reads a file of containers-tls-details.yaml(5). A field or name that is not known is `invalid_argument`. */
export function readTlsDetails(path: string): TlsDetails {
  try {
    return parseTlsDetails(Bun.YAML.parse(readFileSync(path, "utf8")), path);
  } catch (failure) {
    throw toGalleyError(failure, { op: "read TLS details", subject: path });
  }
}

/** The same of a value; `path` is for messages. */
export function parseTlsDetails(value: unknown, path: string): TlsDetails {
  const fields = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof fields !== "object" || Array.isArray(fields)) throw wrong(path, "it is not a map");
  const unknown = Object.keys(fields).find((name) => !["minVersion", "cipherSuites", "namedGroups"].includes(name));
  if (unknown !== undefined) throw wrong(path, `field ${unknown} is not known`);
  const ciphers = names(fields.cipherSuites, path, "cipher suite", (name) => suites.has(name) || unused.has(name));
  const curves = names(fields.namedGroups, path, "named group", (name) => Object.hasOwn(groups, name));
  return {
    ...minVersion(fields.minVersion, path),
    ...(ciphers === undefined ? {} : { ciphers: ciphers.filter((name) => suites.has(name)).join(":") }),
    // As for Go: no group is no choice.
    ...(curves === undefined || curves.length === 0 ? {} : { ecdhCurve: curves.map((name) => groups[name]).join(":") }),
  };
}

function minVersion(value: unknown, path: string): Pick<TlsDetails, "minVersion"> {
  // YAML takes what is not quoted for a number.
  const text = typeof value === "number" ? value.toFixed(1) : (value ?? "");
  if (text === "") return {};
  const found = typeof text === "string" && Object.hasOwn(versions, text) ? versions[text] : undefined;
  if (found !== undefined) return { minVersion: found };
  throw wrong(path, `unrecognized TLS minimum version ${JSON.stringify(value)}`);
}

function names(
  value: unknown,
  path: string,
  what: string,
  isKnown: (name: string) => boolean,
): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw wrong(path, `the ${what}s are not a list`);
  const unknown = value.find((name) => typeof name !== "string" || !isKnown(name));
  if (unknown !== undefined) throw wrong(path, `unrecognized TLS ${what} ${JSON.stringify(unknown)}`);
  return value as readonly string[];
}

function wrong(path: string, why: string): GalleyError {
  return new GalleyError("invalid_argument", why, {
    op: "read TLS details",
    subject: path,
    hint: "containers-tls-details.yaml(5) has the format",
  });
}
