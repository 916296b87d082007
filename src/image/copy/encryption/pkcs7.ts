import { type KeyObject, X509Certificate } from "node:crypto";
import { GalleyError } from "../../../errors.ts";
import { invalidKey, readKeyFile } from "./key-file.ts";
import type { KeyOpener, KeyWrapper } from "./key-wrap.ts";

/** For those who hold the keys of these certificates, which are PEM or DER. Errors: `invalid_argument`. */
export function pkcs7Wrapper(files: readonly string[]): KeyWrapper {
  const certificates = files.map(readCertificate);
  const wrap = async (secret: Uint8Array) => (await import("./enveloped-data.ts")).sealFor(certificates, secret);
  return { scheme: "pkcs7", wrap };
}

/** With the certificates' private keys. Which certificate a key is of does not need to be known. */
export function pkcs7Opener(keys: readonly KeyObject[]): KeyOpener {
  return { takes: (scheme) => scheme === "pkcs7", open: (wrapped) => open(keys, Buffer.from(wrapped)) };
}

async function open(keys: readonly KeyObject[], wrapped: Buffer): Promise<Buffer> {
  const content = await unsealOrSay(keys, wrapped);
  if (content !== undefined) return content;
  throw new GalleyError("permission_denied", "PKCS7: No suitable private key found for decryption");
}

async function unsealOrSay(keys: readonly KeyObject[], wrapped: Buffer): Promise<Buffer | undefined> {
  const { unsealWith } = await import("./enveloped-data.ts");
  try {
    return unsealWith(keys, wrapped);
  } catch (cause) {
    throw new GalleyError("data_loss", "could not parse PKCS7 packet", { cause });
  }
}

function readCertificate(file: string): X509Certificate {
  const certificate = certificateOf(readKeyFile(file));
  if (certificate === undefined) {
    throw invalidKey(file, "File provided is not an x509 cert", "give a certificate as PEM or DER");
  }
  if (certificate.publicKey.asymmetricKeyType === "rsa") return certificate;
  throw invalidKey(file, "pkcs7: only RSA keys are supported", "for another key use jwe:FILE");
}

/** The certificate that a file's content is, or has; `undefined` for other content. */
export function certificateOf(bytes: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(bytes);
  } catch {
    return undefined;
  }
}
