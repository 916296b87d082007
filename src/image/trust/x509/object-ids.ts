/** Identifiers of extensions (RFC 5280 section 4.2), as the bytes of their DER in hexadecimal: so no number is too big to be told from another. */
export const extensions = {
  subjectKeyId: "551d0e",
  keyUsage: "551d0f",
  subjectAltName: "551d11",
  basicConstraints: "551d13",
  nameConstraints: "551d1e",
  crlDistributionPoints: "551d1f",
  certificatePolicies: "551d20",
  policyMappings: "551d21",
  authorityKeyId: "551d23",
  policyConstraints: "551d24",
  extendedKeyUsage: "551d25",
  inhibitAnyPolicy: "551d36",
  /** 1.3.6.1.5.5.7.1.1 */
  authorityInformation: "2b06010505070101",
  /** Fulcio's: who vouched for the subject, as bare text (1.3.6.1.4.1.57264.1.1) and as UTF8String (1.3.6.1.4.1.57264.1.8). */
  issuer: "2b0601040183bf300101",
  issuerText: "2b0601040183bf300108",
} as const;

/** Extended key usages (section 4.2.1.12): anything, and signing of code. */
export const usages = { any: "551d2500", codeSigning: "2b06010505070303" } as const;

/** Algorithms of signatures that are believed: RSA with PKCS #1 and PSS, ECDSA, Ed25519; no SHA-1 and older. */
export const signatureAlgorithms: readonly string[] = [
  "2a864886f70d01010b", // sha256WithRSAEncryption
  "2a864886f70d01010c", // sha384WithRSAEncryption
  "2a864886f70d01010d", // sha512WithRSAEncryption
  "2a864886f70d01010a", // RSASSA-PSS
  "2a8648ce3d040302", // ecdsa-with-SHA256
  "2a8648ce3d040303", // ecdsa-with-SHA384
  "2a8648ce3d040304", // ecdsa-with-SHA512
  "2b6570", // Ed25519
];
