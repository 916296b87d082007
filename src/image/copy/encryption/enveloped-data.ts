/**
 * Messages of PKCS #7 that are encrypted for the holders of certificates: EnvelopedData (RFC 5652, section 6) of the kind that
 * github.com/smallstep/pkcs7 writes. Its content is in AES-GCM, which the standard has only in another structure (RFC 5083), and its parameters
 * are wrapped once more, so that openssl-cms(1) does not take it.
 *
 *     SEQUENCE                                   ContentInfo
 *       OBJECT IDENTIFIER envelopedData
 *       [0] SEQUENCE
 *         INTEGER 0
 *         SET OF SEQUENCE                        for each recipient:
 *           INTEGER 0
 *           SEQUENCE                             its certificate's issuer and serial number
 *           SEQUENCE rsaEncryption
 *           OCTET STRING                         the content's key, with the padding of PKCS #1 v1.5
 *         SEQUENCE
 *           OBJECT IDENTIFIER data
 *           SEQUENCE aes-128-gcm, [SEQUENCE] SEQUENCE { [4] nonce, INTEGER 16 }
 *           [0] the content and its tag of 16 bytes
 */
import type { CipherGCMTypes, KeyObject, X509Certificate } from "node:crypto";
import { constants, createCipheriv, createDecipheriv, privateDecrypt, publicEncrypt, randomBytes } from "node:crypto";
import type { ASN1Obj } from "@sigstore/core";
import { certificateFields } from "../../trust/x509/certificate-fields.ts";
import { derOf, idOf } from "../../trust/x509/der.ts";
import { encoded, id, integer, sequence, tags } from "../../trust/x509/encode-der.ts";

/** Identifiers, as the bytes of their DER in hexadecimal. */
const ids = {
  envelopedData: "2a864886f70d010703", // 1.2.840.113549.1.7.3
  data: "2a864886f70d010701", // 1.2.840.113549.1.7.1
  rsa: "2a864886f70d010101", // 1.2.840.113549.1.1.1
  aes128Gcm: "608648016503040106", // 2.16.840.1.101.3.4.1.6
  aes256Gcm: "60864801650304012e", // 2.16.840.1.101.3.4.1.46
} as const;

const ciphers: Readonly<Record<string, CipherGCMTypes>> = {
  [ids.aes128Gcm]: "aes-128-gcm",
  [ids.aes256Gcm]: "aes-256-gcm",
};

/** [0], with other structures in it or with bytes; and [4]. */
const [EXPLICIT, IMPLICIT, NONCE] = [0xa0, 0x80, 0x84];
/** What the parameters of the cipher are wrapped in: a SEQUENCE without the bit that says that it has parts. */
const BARE_SEQUENCE = 0x10;
const TAG_SIZE = 16;

/** Encrypts for the holders of these certificates, whose keys must be RSA. */
export function sealFor(certificates: readonly X509Certificate[], content: Uint8Array): Buffer {
  const [key, nonce] = [randomBytes(16), randomBytes(12)];
  const cipher = createCipheriv("aes-128-gcm", key, nonce);
  const sealed = Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()]);
  const parameters = sequence(encoded(NONCE, nonce), integer(TAG_SIZE));
  const algorithm = sequence(id(ids.aes128Gcm), encoded(BARE_SEQUENCE, parameters));
  const recipients = certificates.map((certificate) => recipientOf(certificate, key));
  const envelope = sequence(
    integer(0),
    encoded(tags.set, ...recipients.sort(Buffer.compare)),
    sequence(id(ids.data), algorithm, encoded(IMPLICIT, sealed)),
  );
  return sequence(id(ids.envelopedData), encoded(EXPLICIT, envelope));
}

function recipientOf({ raw, publicKey }: X509Certificate, key: Buffer): Buffer {
  const [serial, , issuer] = certificateFields(raw).fields;
  if (serial === undefined || issuer === undefined) throw new Error("fields of the certificate are missing");
  const name = sequence(encoded(tags.sequence, issuer.value), encoded(tags.integer, serial.value));
  const wrapped = publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, key);
  return sequence(integer(0), name, sequence(id(ids.rsa)), encoded(tags.bytes, wrapped));
}

/** Opens what is sealed for one of the keys; `undefined` where it is for none of them. Throws for what is no such message. */
export function unsealWith(keys: readonly KeyObject[], message: Buffer): Buffer | undefined {
  const [kind, wrapper] = derOf(message).subs;
  if (idOf(kind) !== ids.envelopedData) throw new Error("no EnvelopedData");
  const [, recipients, sealed] = wrapper?.subs[0]?.subs ?? [];
  const wrapped = (recipients?.subs ?? []).filter(({ subs }) => idOf(subs[2]?.subs[0]) === ids.rsa);
  for (const { subs } of wrapped) {
    for (const key of keys) {
      const content = opened(sealed, unwrapped(key, subs[3]?.value ?? Buffer.alloc(0)));
      if (content !== undefined) return content;
    }
  }
  return undefined;
}

/** Bun does not take padding of PKCS #1 v1.5 off (CVE-2023-46809 needs somebody who can ask again and again: here nobody can). */
function unwrapped(key: KeyObject, wrapped: Buffer): Buffer | undefined {
  try {
    const block = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, wrapped);
    const end = block.indexOf(0, 2);
    return block[0] === 0 && block[1] === 2 && end >= 10 ? block.subarray(end + 1) : undefined;
  } catch {
    return undefined; // Of another size, or no RSA key.
  }
}

function opened(sealed: ASN1Obj | undefined, key: Buffer | undefined): Buffer | undefined {
  const [, algorithm, content] = sealed?.subs ?? [];
  const [name, parameters] = algorithm?.subs ?? [];
  const cipher = ciphers[idOf(name)];
  if (cipher === undefined) throw new Error("its content is not in AES-GCM");
  if (parameters === undefined || content === undefined || key === undefined) return undefined;
  const nonce = derOf(parameters.value).subs[0]?.value ?? Buffer.alloc(0);
  // skopeo 1.9 has the bytes as an OCTET STRING below it.
  const bytes = content.tag.constructed ? Buffer.concat(content.subs.map(({ value }) => value)) : content.value;
  try {
    const decipher = createDecipheriv(cipher, key, nonce, { authTagLength: TAG_SIZE });
    decipher.setAuthTag(bytes.subarray(-TAG_SIZE));
    return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_SIZE)), decipher.final()]);
  } catch {
    return undefined; // Another key.
  }
}
