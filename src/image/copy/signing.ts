import { GalleyError } from "../../errors.ts";
import { canonicalName } from "../reference.ts";
import type { Document } from "../transports/place.ts";
import { type Signature, sameSignature } from "../trust/signature.ts";
import type { BlobParts } from "./copy-blob.ts";

/** Whether a document is what the place's name leads to, or what an index names. */
export type Role = "root" | "part";

/** A document with the signatures that go with it. */
export interface Signed {
  readonly document: Document;
  readonly signatures: readonly Signature[];
}

/**
 * The source's signatures of a document, where they are to be copied; refused where the destination cannot keep them.
 * @param role of the document at the source
 */
export async function keptSignatures(
  { source, destination, options, signal }: BlobParts,
  document: Document,
  role: Role,
): Promise<readonly Signature[]> {
  if (options.removeSignatures === true) return [];
  const found = (await source.signatures?.(document, role, { signal })) ?? [];
  if (found.length === 0) return found;
  if (destination.signatures === undefined) throw cannotKeep(source.name, destination.name);
  await destination.signatures.check(found);
  return found;
}

function cannotKeep(source: string, destination: string): GalleyError {
  return new GalleyError("failed_precondition", `Can not copy signatures to ${destination}: it keeps none`, {
    op: "copy",
    subject: source,
    hint: "leave them out with --remove-signatures",
  });
}

/** Asks whether an image may be used. */
export async function acceptImage({ source, options, signal }: BlobParts, document: Document, role: Role) {
  const signatures = async () => (await source.signatures?.(document, role, { signal })) ?? [];
  await options.accept?.({ manifest: document.bytes, signatures });
}

/** A document of the destination, signed anew where that is asked for, beside the signatures that were kept. */
export async function signed(
  { destination, options }: BlobParts,
  document: Document,
  kept: readonly Signature[],
): Promise<Signed> {
  const signatures = [...kept];
  for (const signer of options.signers ?? []) {
    const identity = options.signAs ?? identityOf(destination.reference, destination.name);
    options.onProgress?.({ kind: "signing", what: signer.what });
    const made = await signer.sign(document.bytes, identity);
    if (!signatures.some((one) => sameSignature(one, made))) signatures.push(made);
  }
  if (signatures.length > kept.length) {
    if (destination.signatures === undefined) throw cannotKeep("new signatures", destination.name);
    await destination.signatures.check(signatures);
  }
  return { document, signatures };
}

function identityOf(reference: BlobParts["destination"]["reference"], name: string): string {
  if (reference !== undefined) return canonicalName(reference);
  throw new GalleyError("invalid_argument", `Cannot determine canonical Docker reference for destination ${name}`, {
    op: "create signature",
    hint: "name the image that is signed with --sign-identity",
  });
}

/** Writes a document, and then its signatures. */
export async function writeSigned(
  { destination, options, signal }: BlobParts,
  copy: Signed,
  role: Role,
): Promise<void> {
  const { document, signatures } = copy;
  await destination.writeDocument(document, role, { signal });
  if (signatures.length === 0) return;
  options.onProgress?.({ kind: "signatures", count: signatures.length });
  await destination.signatures?.write(signatures, document, role, { signal });
}
