import { canonicalName, parseReference, type Reference, repositoryOf } from "../reference.ts";
import type { SignedIdentity } from "./policy.ts";

/**
 * Whether a signature that names an image `signed` is one of the image that is meant (containers-policy.json(5), "signedIdentity").
 * @param meant the name by which the image is used, with tag or digest; absent where it has none, and then only identities that are written out match
 */
export function matchesIdentity(identity: SignedIdentity, meant: Reference | undefined, signed: string): boolean {
  const claimed = parsed(signed);
  if (claimed === undefined) return false;
  switch (identity.type) {
    case "exactReference":
      return sameExactly(parsed(identity.dockerReference), claimed);
    case "exactRepository":
      return sameRepository(parsed(identity.dockerRepository), claimed);
    case "matchExact":
      return sameExactly(meant, claimed);
    case "matchRepository":
      return sameRepository(meant, claimed);
    case "matchRepoDigestOrExact":
      return sameDigestOrExactly(meant, claimed);
    case "remapIdentity":
      return sameDigestOrExactly(meant === undefined ? undefined : remapped(meant, identity), claimed);
  }
}

function parsed(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

function nameOnly({ tag, digest }: Reference): boolean {
  return tag === undefined && digest === undefined;
}

function sameExactly(meant: Reference | undefined, claimed: Reference): boolean {
  if (meant === undefined || nameOnly(meant) || nameOnly(claimed)) return false;
  return canonicalName(meant) === canonicalName(claimed);
}

function sameRepository(meant: Reference | undefined, claimed: Reference): boolean {
  return meant !== undefined && repositoryOf(meant) === repositoryOf(claimed);
}

/** An image that is meant by its digest is that one whatever its tag was when it was signed. */
function sameDigestOrExactly(meant: Reference | undefined, claimed: Reference): boolean {
  if (meant === undefined || nameOnly(claimed)) return false;
  return meant.tag === undefined && meant.digest !== undefined
    ? sameRepository(meant, claimed)
    : sameExactly(meant, claimed);
}

function remapped(
  meant: Reference,
  { prefix, signedPrefix }: { readonly prefix: string; readonly signedPrefix: string },
): Reference | undefined {
  const name = repositoryOf(meant);
  if (name !== prefix && !name.startsWith(`${prefix}/`)) return meant;
  return parsed(signedPrefix + canonicalName(meant).slice(prefix.length));
}
