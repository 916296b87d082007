import { GalleyError, toGalleyError } from "../../errors.ts";
import type { Accept } from "../copy/options.ts";
import { digestOf, parseDigest } from "../digest.ts";
import type { Reference } from "../reference.ts";
import { nameOfPlace } from "../transports/open-place.ts";
import type { PlaceName } from "../transports/place-name.ts";
import { Gpg } from "./gpg.ts";
import { matchesIdentity } from "./identity.ts";
import { bytesOf } from "./key-source.ts";
import type { Claim } from "./payload.ts";
import type { Requirement, SignedIdentity, SigstoreSigned } from "./policy.ts";
import type { LoadedPolicy } from "./policy-file.ts";
import { refused } from "./refused.ts";
import { requirementsFor } from "./scopes.ts";
import { COSIGN_PAYLOAD, type Signature } from "./signature.ts";
import { verifySimple } from "./simple-signing.ts";

/** An image that a policy is asked about. Its manifest was checked against the digest that led to it. */
export interface CheckedImage {
  readonly place: PlaceName;
  /** As people write the place: `docker://host/a:1`. */
  readonly name: string;
  readonly manifest: Uint8Array;
  /** Asked for only where a requirement is about them. */
  signatures(): Promise<readonly Signature[]>;
}

/**
 * Resolves where a policy lets an image be used, and is `permission_denied` otherwise, in the words of skopeo and podman with what asked for it. Of a
 * list of requirements all must hold; of an image's signatures one is enough for each.
 */
export async function checkPolicy(loaded: LoadedPolicy, image: CheckedImage): Promise<void> {
  const { requirements, where } = requirementsFor(loaded, image.place);
  for (const requirement of requirements) {
    try {
      await meets(requirement, image);
    } catch (failure) {
      const { code, message } = toGalleyError(failure);
      if (code === "canceled" || code === "unavailable" || code === "deadline_exceeded") throw failure;
      throw new GalleyError("permission_denied", `Source image rejected: ${message}`, {
        hint: `${requirement.type} is asked for in ${loaded.file}, ${where}`,
      });
    }
  }
}

/** A copy's or pull's question about each image, answered by a policy. */
export function acceptBy(loaded: LoadedPolicy, place: PlaceName): Accept {
  return ({ manifest, signatures }) => checkPolicy(loaded, { place, name: nameOfPlace(place), manifest, signatures });
}

/** Whether a policy asks anything about signatures of a place: if not, nobody needs to look for them. */
export function asksForSignatures(loaded: LoadedPolicy, place: PlaceName): boolean {
  return requirementsFor(loaded, place).requirements.some(
    ({ type }) => type === "signedBy" || type === "sigstoreSigned",
  );
}

async function meets(requirement: Requirement, image: CheckedImage): Promise<void> {
  switch (requirement.type) {
    case "insecureAcceptAnything":
      return;
    case "reject":
      throw refused(`Running image ${image.name} is rejected by policy.`);
    case "signedBaseLayer":
      throw refused("signedBaseLayer is not implemented");
    case "signedBy":
      return signedBy(requirement, image);
    case "sigstoreSigned":
      return sigstoreSigned(requirement, image);
  }
}

async function signedBy(
  { keyType, keys, identity }: Extract<Requirement, { readonly type: "signedBy" }>,
  image: CheckedImage,
): Promise<void> {
  if (keyType !== "GPGKeys") throw refused(`Unimplemented "keyType" value ${JSON.stringify(keyType)}`);
  const found = (await image.signatures()).flatMap((one) => (one.format === "simple-signing" ? [one] : []));
  if (found.length === 0) throw refused("A signature was required, but no signature exists");
  const gpg = await Gpg.ofKeys(bytesOf(keys));
  try {
    if (gpg.fingerprints.length === 0) throw refused("No public keys imported");
    await oneOf(found, async ({ content }) => {
      checkClaim((await verifySimple(gpg, content, gpg.fingerprints)).claim, identity, image);
    });
  } finally {
    gpg.close();
  }
}

async function sigstoreSigned(requirement: SigstoreSigned, image: CheckedImage): Promise<void> {
  const all = await image.signatures();
  const found = all.flatMap((one) => (one.format === "sigstore-json" && one.mediaType === COSIGN_PAYLOAD ? [one] : []));
  if (found.length === 0) throw refused(`A signature was required, but no signature exists${others(all)}`);
  const { claimOf, trustOf } = await import("./sigstore-author.ts");
  const trust = await trustOf(requirement);
  await oneOf(found, async (one) => checkClaim(await claimOf(one, trust), requirement.identity, image));
}

function others(all: readonly Signature[]): string {
  const simple = all.filter(({ format }) => format === "simple-signing").length;
  if (all.length === 0) return "";
  return ` (${simple} non-sigstore signatures, ${all.length - simple} sigstore non-signature attachments)`;
}

/** Resolves where one of several passes; otherwise the reasons of all. */
async function oneOf<T>(candidates: readonly T[], check: (one: T) => Promise<void>): Promise<void> {
  const reasons: string[] = [];
  for (const candidate of candidates) {
    try {
      return await check(candidate);
    } catch (failure) {
      reasons.push(toGalleyError(failure).message);
    }
  }
  const [only = "", ...more] = reasons;
  throw refused(more.length === 0 ? only : `None of the signatures were accepted, reasons: ${reasons.join("; ")}`);
}

/** Whether what was signed is this manifest, by a name that is accepted for it. */
function checkClaim({ digest, identity }: Claim, accepted: SignedIdentity, image: CheckedImage): void {
  if (digestOf(image.manifest, parseDigest(digest).algorithm) !== digest) {
    throw refused(`Signature for digest ${digest} does not match`);
  }
  if (matchesIdentity(accepted, meantBy(image.place), identity)) return;
  throw refused(`Signature for identity ${JSON.stringify(identity)} is not accepted`);
}

/** The name of the image, where its place is one that has names of registries. */
function meantBy(place: PlaceName): Reference | undefined {
  if (place.transport === "docker-archive" || !("reference" in place)) return undefined;
  return place.reference;
}
