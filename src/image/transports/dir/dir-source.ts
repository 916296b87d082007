import { GalleyError } from "../../../errors.ts";
import type { Descriptor } from "../../../spec/image.ts";
import { digestOf, parseDigest } from "../../digest.ts";
import { parseDocument, typeOfDocument } from "../../pull/manifests.ts";
import { decodeSignature, MAX_SIGNATURE, MAX_SIGNATURES, type Signature } from "../../trust/signature.ts";
import { verifyBytes } from "../../verify/read.ts";
import { type FileSet, readSmall } from "../files/file-set.ts";
import { missingBlob } from "../oci/layout-source.ts";
import type { Document, Source } from "../place.ts";
import { type BlobOptions, MAX_MANIFEST } from "../transport.ts";

/** Bytes of the file that says which version of the format a directory is in. */
const MAX_VERSION = 1024;

/** What the file `version` says of a directory that we write. */
export const VERSION = "Directory Transport Version: 1.1\n";

/**
 * An image as plain files in one directory (containers-transports(5), dir:): `manifest.json`, blobs under the digits of their
 * digests, manifests that an index names as `DIGITS.manifest.json`.
 */
export class DirSource implements Source {
  constructor(
    readonly name: string,
    private readonly files: FileSet,
  ) {}

  async document(descriptor?: Descriptor): Promise<Document> {
    if (descriptor !== undefined) return this.#part(descriptor);
    await this.#checkVersion();
    const bytes = await readSmall(this.files, "manifest.json", MAX_MANIFEST);
    const found = { mediaType: "", digest: digestOf(bytes), size: bytes.length };
    return { bytes, descriptor: { ...found, mediaType: typeOfDocument(parseDocument(bytes, found, this.name)) } };
  }

  async #part(descriptor: Descriptor): Promise<Document> {
    const path = `${dirName(descriptor.digest)}.manifest.json`;
    if ((await this.files.size(path)) === undefined) throw missingBlob(this.name, descriptor.digest);
    const bytes = await readSmall(this.files, path, MAX_MANIFEST);
    verifyBytes(bytes, descriptor);
    const { mediaType, digest, size } = descriptor;
    return { descriptor: { mediaType, digest, size }, bytes };
  }

  async #checkVersion(): Promise<void> {
    if ((await this.files.size("version")) === undefined) return;
    const text = Buffer.from(await readSmall(this.files, "version", MAX_VERSION)).toString("utf8");
    if (/^Directory Transport Version: 1\.\d+\s*$/.test(text)) return;
    throw new GalleyError(
      "failed_precondition",
      `its version is not one that is known: ${JSON.stringify(text.trim())}`,
      {
        op: "read",
        subject: this.name,
      },
    );
  }

  async *blob(descriptor: Descriptor, { offset = 0, signal }: BlobOptions = {}): AsyncGenerator<Uint8Array> {
    const path = dirName(descriptor.digest);
    if ((await this.files.size(path)) === undefined) throw missingBlob(this.name, descriptor.digest);
    for await (const chunk of this.files.read(path, offset)) {
      signal?.throwIfAborted();
      yield chunk;
    }
  }

  async signatures({ descriptor }: Document, role: "root" | "part"): Promise<readonly Signature[]> {
    const found: Signature[] = [];
    for (let position = 1; position <= MAX_SIGNATURES; position++) {
      const path = signaturePath(descriptor.digest, role, position);
      if ((await this.files.size(path)) === undefined) break;
      found.push(decodeSignature(await readSmall(this.files, path, MAX_SIGNATURE), `${path} in ${this.name}`));
    }
    return found;
  }

  close(): Promise<void> {
    return this.files.close();
  }
}

/** A signature's file, counted from 1: of the image's own document, or of one that an index names. */
export function signaturePath(digest: string, role: "root" | "part", position: number): string {
  return role === "root" ? `signature-${position}` : `${dirName(digest)}.signature-${position}`;
}

/** A blob's file: the digits alone for SHA-256, else with the algorithm before them. */
export function dirName(digest: string): string {
  const { algorithm, hex } = parseDigest(digest);
  return algorithm === "sha256" ? hex : `${algorithm}-${hex}`;
}
