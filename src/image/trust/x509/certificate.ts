import { X509Certificate } from "node:crypto";
import type { ASN1Obj } from "@sigstore/core";
import { certificateFields } from "./certificate-fields.ts";
import { derOf, idOf, malformed, sequenceOf } from "./der.ts";
import { type NameConstraints, nameConstraintsOf } from "./name-constraints.ts";
import { type Names, namesOf } from "./names.ts";
import { extensions as ids } from "./object-ids.ts";

/** What of a certificate (RFC 5280 section 4.1) decides whether it is believed. */
export interface Certificate {
  readonly x509: X509Certificate;
  /** The names, as they are encoded. */
  readonly subject: Buffer;
  readonly issuer: Buffer;
  /** Of the signature: an identifier. */
  readonly algorithm: string;
  readonly version: number;
  /** By identifier. */
  readonly extensions: ReadonlyMap<string, Extension>;
  readonly names: Names;
  readonly constraints: NameConstraints | undefined;
  readonly basic: BasicConstraints | undefined;
  /** Whether the key may sign certificates; `undefined` where nothing is said of what it is for (section 4.2.1.3). */
  readonly signsCertificates: boolean | undefined;
  /** Identifiers of what the key may be used for; none stands for anything. */
  readonly usages: readonly string[];
}

/** One extension. */
export interface Extension {
  readonly critical: boolean;
  readonly value: Buffer;
}

/** Section 4.2.1.9. */
export interface BasicConstraints {
  readonly authority: boolean;
  readonly pathLength: number | undefined;
}

/** Bytes of a certificate that are read: no real one has a tenth of that. */
const MAX_CERTIFICATE = 64 << 10;

/** Reads a certificate in DER; throws where it is none, or one that does not keep to RFC 5280. */
export function parseCertificate(der: Buffer): Certificate {
  if (der.length > MAX_CERTIFICATE) throw malformed("too long");
  const x509 = new X509Certificate(der);
  if (!x509.raw.equals(der)) throw malformed("trailing data");
  const { version, fields } = certificateFields(der);
  const [, algorithm, issuer, , subject] = fields;
  if (issuer === undefined || subject === undefined) throw malformed("fields are missing");
  const extensions = extensionsOf(fields.find(({ tag }) => tag.isContextSpecific(3)));
  const read = <T>(id: string, reader: (value: Buffer) => T): T | undefined => {
    const value = extensions.get(id)?.value;
    return value === undefined ? undefined : reader(value);
  };
  return {
    x509,
    subject: subject.value,
    issuer: issuer.value,
    algorithm: idOf(algorithm?.subs[0]),
    version: Number(version?.subs[0]?.toInteger() ?? 0) + 1,
    extensions,
    names: namesOf(read(ids.subjectAltName, sequenceOf) ?? []),
    constraints: read(ids.nameConstraints, nameConstraintsOf),
    basic: read(ids.basicConstraints, basicOf),
    signsCertificates: read(ids.keyUsage, signsCertificates),
    usages: (read(ids.extendedKeyUsage, sequenceOf) ?? []).map(idOf),
  };
}

function extensionsOf(list: ASN1Obj | undefined): ReadonlyMap<string, Extension> {
  const found = (list?.subs[0]?.subs ?? []).map(({ subs: [id, ...more] }) => {
    const value = more.at(-1);
    if (value?.tag.isOctetString() !== true) throw malformed("an extension has no value");
    return [idOf(id), { critical: more.length === 2 && more[0]?.toBoolean() === true, value: value.value }] as const;
  });
  const extensions = new Map(found);
  if (extensions.size !== found.length) throw malformed("duplicate extensions");
  return extensions;
}

function basicOf(bytes: Buffer): BasicConstraints {
  const parts = sequenceOf(bytes);
  const flag = parts.find(({ tag }) => tag.isBoolean());
  const length = parts.find(({ tag }) => tag.isInteger());
  if (parts.some((one) => one !== flag && one !== length)) throw malformed("basic constraints");
  return {
    authority: flag?.toBoolean() ?? false,
    pathLength: length === undefined ? undefined : Number(length.toInteger()),
  };
}

function signsCertificates(bytes: Buffer): boolean | undefined {
  const bits = derOf(bytes).toBitString();
  return bits.includes(1) ? bits[5] === 1 : undefined;
}
