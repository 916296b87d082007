import { GalleyError } from "../../errors.ts";

/** A signature of an image's manifest, as it was found: nothing of it is to be believed before it was verified. */
export type Signature = SimpleSignature | SigstoreSignature;

/** containers-signature(5): an OpenPGP message that signs what it holds. */
export interface SimpleSignature {
  readonly format: "simple-signing";
  readonly content: Uint8Array;
}

/** cosign's: a payload, and beside it the signature among the annotations. */
export interface SigstoreSignature {
  readonly format: "sigstore-json";
  readonly mediaType: string;
  readonly payload: Uint8Array;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The media type of a payload that cosign signed. */
export const COSIGN_PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json";

/** The annotation that holds the signature of a payload, in base64. */
export const COSIGN_SIGNATURE = "dev.cosignproject.cosign/signature";

/** The annotation beside it that holds Rekor's promise to have it in its log, in JSON. */
export const COSIGN_BUNDLE = "dev.sigstore.cosign/bundle";

/** The signer's certificate, in PEM. */
export const COSIGN_CERTIFICATE = "dev.sigstore.cosign/certificate";

/** The certificates above that, up to the root, in PEM. */
export const COSIGN_CHAIN = "dev.sigstore.cosign/chain";

/** Bytes of one signature that are read. */
export const MAX_SIGNATURE = 4 << 20;

/** Signatures of one image that are read. */
export const MAX_SIGNATURES = 128;

/** Makes signatures of manifests. */
export interface Signer {
  /** For people: what is done, as skopeo says it. */
  readonly what: string;
  /** @param identity the name that the image is signed as, with a tag or digest */
  sign(manifest: Uint8Array, identity: string): Promise<Signature>;
}

/**
 * A signature as the bytes of a file: an OpenPGP message as it is, others with a zero byte, the format's name and a line end before them
 * (containers/image, the files of `dir:` and of lookaside storage).
 */
export function encodeSignature(signature: Signature): Uint8Array {
  if (signature.format === "simple-signing") return signature.content;
  const { mediaType, payload, annotations } = signature;
  const document = { mimeType: mediaType, payload: Buffer.from(payload).toString("base64"), annotations };
  return Buffer.from(`\0${signature.format}\n${JSON.stringify(document)}`);
}

/** First bytes of OpenPGP messages: compressed data, one-pass signatures, signatures; in the old format of packets and in the new. */
const openPgp = [0xa0, 0xa1, 0xa2, 0xa3, 0xc8, 0x90, 0x91, 0x92, 0x3d, 0xc4, 0x88, 0x89, 0x8a, 0x8b, 0xc2];

/** Reads what {@link encodeSignature} wrote; `data_loss` where it is nothing known. */
export function decodeSignature(bytes: Uint8Array, subject: string): Signature {
  const [first] = bytes;
  if (first !== undefined && openPgp.includes(first)) return { format: "simple-signing", content: bytes };
  const end = bytes.indexOf(0x0a);
  if (first !== 0 || end < 0) throw unreadable(subject, "unrecognized signature format");
  const format = Buffer.from(bytes.subarray(1, end)).toString("latin1");
  const content = bytes.subarray(end + 1);
  if (format === "simple-signing") return { format, content };
  if (format === "sigstore-json") return parseSigstore(content, subject);
  throw unreadable(subject, `unrecognized signature format ${JSON.stringify(format.slice(0, 100))}`);
}

function parseSigstore(content: Uint8Array, subject: string): SigstoreSignature {
  try {
    const value = JSON.parse(Buffer.from(content).toString("utf8")) as Readonly<Record<string, unknown>>;
    const { mimeType, payload, annotations } = value;
    if (typeof mimeType === "string" && typeof payload === "string" && isTextMap(annotations ?? {})) {
      const decoded = Buffer.from(payload, "base64");
      return {
        format: "sigstore-json",
        mediaType: mimeType,
        payload: decoded,
        annotations: (annotations ?? {}) as Readonly<Record<string, string>>,
      };
    }
  } catch {
    // The same fault as JSON of another shape.
  }
  throw unreadable(subject, "the sigstore signature is not readable");
}

function isTextMap(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.values(value).every((one) => typeof one === "string");
}

function unreadable(subject: string, why: string): GalleyError {
  return new GalleyError("data_loss", why, { op: "read signature", subject });
}

/** Whether two signatures are the same bytes. */
export function sameSignature(a: Signature, b: Signature): boolean {
  return Buffer.compare(encodeSignature(a), encodeSignature(b)) === 0;
}
