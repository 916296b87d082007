import { GalleyError } from "../../errors.ts";
import { digestOf, tryParseDigest } from "../digest.ts";
import { isObject } from "../json-object.ts";
import { parseStrict, unknownKey } from "./strict-json.ts";

/** What a signature says: which manifest, and what its name is. */
export interface Claim {
  readonly digest: string;
  /** As it was written by who signed. */
  readonly identity: string;
}

/** Both kinds of signatures sign the same document (containers-signature(5)) of different types. */
export type PayloadType = "atomic container signature" | "cosign container image signature";

/** The document to be signed. */
export function makePayload(type: PayloadType, manifest: Uint8Array, identity: string, now = Date.now()): Uint8Array {
  const critical = {
    identity: { "docker-reference": identity },
    image: { "docker-manifest-digest": digestOf(manifest) },
    type,
  };
  return Buffer.from(JSON.stringify({ critical, optional: { creator: "galley", timestamp: Math.floor(now / 1000) } }));
}

/** Reads a document whose signature was verified; anything but exactly its shape is `data_loss`. */
export function parsePayload(type: PayloadType, bytes: Uint8Array): Claim {
  const top = fields(document(bytes), ["critical", "optional"]);
  // cosign writes null for nothing.
  if (top.optional !== null) checkOptional(top.optional);
  const critical = fields(top.critical, ["type", "image", "identity"]);
  if (critical.type !== type) throw invalid(`Unrecognized signature type ${String(critical.type)}`);
  const digest = text(fields(critical.image, ["docker-manifest-digest"])["docker-manifest-digest"]);
  const identity = text(fields(critical.identity, ["docker-reference"])["docker-reference"]);
  if (tryParseDigest(digest) === undefined)
    throw invalid(`invalid docker-manifest-digest value ${JSON.stringify(digest)}`);
  return { digest, identity };
}

function document(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return parseStrict(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (failure) {
    throw invalid((failure as Error).message);
  }
}

function fields(value: unknown, names: readonly string[]): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw invalid("a part of it is not a JSON object");
  const unknown = unknownKey(value, names);
  if (unknown !== undefined) throw invalid(`Unexpected key ${JSON.stringify(unknown)}`);
  const missing = names.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) throw invalid(`Key ${JSON.stringify(missing)} missing in a JSON object`);
  return value;
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw invalid("a text is no string");
}

function checkOptional(value: unknown): void {
  if (!isObject(value)) throw invalid("Field optional is not an object");
  const { creator, timestamp } = value;
  if (creator !== undefined && typeof creator !== "string") throw invalid("Field optional.creator is not a string");
  if (timestamp !== undefined && !Number.isSafeInteger(timestamp)) {
    throw invalid("Field optional.timestamp is not an integer");
  }
}

function invalid(why: string): GalleyError {
  return new GalleyError("data_loss", `Invalid signature: ${why}`);
}
