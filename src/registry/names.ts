import { type ParsedDigest, tryParseDigest } from "../image/digest.ts";
import { Refusal } from "./refusal.ts";

/** distribution-spec "Pulling manifests". */
const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** Longest repository name: what clients accept, and what a file system takes as one name. */
const MAX_NAME = 255;

/** The repository's name, or NAME_INVALID. A name that passes is safe as a path: no part of it begins with a dot or `_`. */
export function checkedName(name: string): string {
  if (name.length <= MAX_NAME && NAME.test(name)) return name;
  throw new Refusal("NAME_INVALID", "invalid repository name", { detail: { name: name.slice(0, MAX_NAME) } });
}

/** Whether a text may be a tag. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** A digest of a kind that is stored, or DIGEST_INVALID. */
export function checkedDigest(text: string): ParsedDigest & { readonly text: string } {
  const digest = tryParseDigest(text);
  if (digest !== undefined) return { ...digest, text };
  throw new Refusal("DIGEST_INVALID", "the digest is malformed or of an unsupported algorithm", {
    detail: { digest: text.slice(0, MAX_NAME) },
  });
}
