import { createPrivateKey, type KeyObject } from "node:crypto";
import { jweOpener } from "./jwe.ts";
import { asJwk, firstOf, invalidKey, isTokenFile, readKeyFile } from "./key-file.ts";
import type { KeyOpener } from "./key-wrap.ts";
import { isKeyRing, pgpOpener } from "./pgp.ts";
import { certificateOf, pkcs7Opener } from "./pkcs7.ts";
import { needsModule } from "./pkcs11.ts";

const PROVIDER = "provider:";

/**
 * Keys to decrypt with as they are written on a command line: `FILE[:PASSWORD]` with a private key or with secret keys that gpg exported, the password also as `pass=TEXT`, `file=FILE` or `fd=NUMBER`, and
 * `provider:NAME[:PARAMETER]`. Key providers that are configured are asked in any case.
 * Errors: `invalid_argument`, `unimplemented` for keys of a PKCS #11 token.
 */
export async function readPrivateKeys(texts: readonly string[]): Promise<readonly KeyOpener[]> {
  const { providerOpener } = await import("./provider.ts");
  const providers = texts.filter((text) => text.startsWith(PROVIDER)).map((text) => text.slice(PROVIDER.length));
  const files = texts.filter((text) => !text.startsWith(PROVIDER)).map(readFile);
  const [rings, others] = [
    files.filter(({ bytes }) => isKeyRing(bytes)),
    files.filter(({ bytes }) => !isKeyRing(bytes)),
  ];
  const keys = others.flatMap((file) => privateKeyOf(file) ?? []);
  return [
    ...(keys.length === 0 ? [] : [jweOpener(keys), pkcs7Opener(keys)]),
    ...(rings.length === 0 ? [] : [pgpOpener(rings)]),
    providerOpener(providers),
  ];
}

interface KeyFile {
  readonly path: string;
  readonly bytes: Buffer;
  readonly password: Buffer | undefined;
}

function readFile(text: string): KeyFile {
  const [path = "", ...rest] = text.split(":");
  return { path, bytes: readKeyFile(path), password: rest.length === 1 ? readPassword(rest[0] ?? "") : undefined };
}

function readPassword(text: string): Buffer {
  const [, kind, value = ""] = /^(file|pass|fd)=(.*)$/s.exec(text) ?? [];
  if (kind === "file") return readKeyFile(value);
  if (kind === "fd") return readKeyFile(`/proc/self/fd/${value}`);
  return Buffer.from(kind === "pass" ? value : text);
}

/** The file's private key; `undefined` for a certificate, which says nothing that the key does not say. */
function privateKeyOf({ path, bytes, password }: KeyFile): KeyObject | undefined {
  const locked = /ENCRYPTED/.test(bytes.toString("latin1"));
  if (locked && password === undefined) {
    throw invalidKey(path, "Missing password for encrypted private key", `write it as ${path}:pass=PASSWORD`);
  }
  const secret = password === undefined ? {} : { passphrase: password };
  const key = firstOf(
    () => createPrivateKey({ key: bytes, format: "der", type: "pkcs8" }),
    () => createPrivateKey({ key: bytes, format: "der", type: "pkcs1" }),
    () => createPrivateKey({ key: bytes, format: "der", type: "sec1" }),
    () => createPrivateKey({ key: bytes, format: "pem", ...secret }),
    () => createPrivateKey({ key: asJwk(bytes) as object, format: "jwk" }),
  );
  if (key !== undefined) return key;
  if (locked) throw invalidKey(path, "Wrong password: could not decrypt private key", "check the password");
  if (certificateOf(bytes) !== undefined) return undefined;
  if (isTokenFile(bytes)) throw needsModule("decrypt", path);
  throw invalidKey(path, "File provided is not a private key", "give one as PEM, DER or JWK");
}
