import { createHash, type KeyObject } from "node:crypto";
import { json } from "@sigstore/core";
import { isObject, type JsonObject } from "../json-object.ts";
import { fromBase64 } from "./base64.ts";
import { verifies } from "./public-key.ts";
import { refused } from "./refused.ts";
import { parseStrict } from "./strict-json.ts";
import { pemBlock } from "./x509/pem.ts";

/** What an entry of the log has to be about. */
export interface Logged {
  /** The public key that signed, or its certificate, in PEM. */
  readonly signer: string;
  /** In base64. */
  readonly signature: string;
  readonly payload: Uint8Array;
}

/**
 * Checks a promise of Rekor's to have a signature in its log (the "signed entry timestamp" beside cosign's signatures): signed by one of Rekor's
 * keys over the canonical JSON (RFC 8785) of an entry, which is of exactly this signature. Gives the time at which it came into the log.
 * `permission_denied` otherwise.
 */
export function checkLogged(promise: string, keys: readonly KeyObject[], logged: Logged): Date {
  const { SignedEntryTimestamp, Payload } = exactly(parsed(promise), ["SignedEntryTimestamp", "Payload"]);
  const entry = exactly(Payload, ["body", "integratedTime", "logIndex", "logID"]);
  const [body, time] = [bytes(entry.body, "body"), seconds(entry.integratedTime)];
  seconds(entry.logIndex);
  if (typeof entry.logID !== "string") throw refused("logID is no string");
  const signature = bytes(SignedEntryTimestamp, "SignedEntryTimestamp");
  const signed = Buffer.from(json.canonicalize(entry));
  if (!keys.some((key) => verifies(key, signed, signature))) {
    throw refused("cryptographic signature verification of Rekor SET failed");
  }
  checkBody(body, logged);
  return new Date(time * 1000);
}

/** That an entry of the kind `hashedrekord` is of this signature. */
function checkBody(body: Buffer, { signer, signature, payload }: Logged): void {
  const { kind, apiVersion, spec } = object(parsed(body.toString("utf8")), "body");
  if (kind !== "hashedrekord") throw refused(`invalid kind value: ${JSON.stringify(kind)}`);
  if (apiVersion !== "0.0.1") throw refused(`unsupported hashedrekord version ${JSON.stringify(apiVersion)}`);
  const logged = object(object(spec, "spec").signature, "signature");
  const { algorithm, value } = object(object(object(spec, "spec").data, "data").hash, "data.hash");
  const key = soleBlock(bytes(object(logged.publicKey, "signature.publicKey").content, "publicKey").toString("latin1"));
  if (!key.equals(soleBlock(signer))) throw refused("publicKey in Rekor SET does not match");
  if (!bytes(logged.content, "signature.content").equals(bytes(signature, "signature"))) {
    throw refused("signature in Rekor SET does not match");
  }
  if (algorithm !== "sha256") throw refused(`Unexpected "data.hash.algorithm" value ${JSON.stringify(algorithm)}`);
  const hash = createHash("sha256").update(payload).digest("hex");
  if (typeof value !== "string" || value.toLowerCase() !== hash) throw refused("payload in Rekor SET does not match");
}

function parsed(text: string): JsonObject {
  try {
    return parseStrict(text);
  } catch (failure) {
    throw refused(`Rekor SET: ${(failure as Error).message}`);
  }
}

function object(value: unknown, what: string): JsonObject {
  if (isObject(value)) return value;
  throw refused(`Missing ${JSON.stringify(what)} field in hashedrekord`);
}

function exactly(value: unknown, names: readonly string[]): JsonObject {
  const fields = object(value, "Payload");
  const wrong = Object.keys(fields).find((name) => !names.includes(name));
  if (wrong !== undefined) throw refused(`Rekor SET: Unknown key ${JSON.stringify(wrong)}`);
  const missing = names.find((name) => !Object.hasOwn(fields, name));
  if (missing !== undefined) throw refused(`Rekor SET: Key ${JSON.stringify(missing)} missing in a JSON object`);
  return fields;
}

function bytes(value: unknown, what: string): Buffer {
  const found = typeof value === "string" ? fromBase64(value) : undefined;
  if (found === undefined) throw refused(`Rekor SET: ${what} is not base64`);
  return found;
}

function seconds(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw refused("Rekor SET: a number is not an integer");
}

/** What the only block of a text holds; its label says nothing. */
function soleBlock(pem: string): Buffer {
  const block = pemBlock(pem);
  if (block === undefined || block.rest !== "") throw refused("publicKey in Rekor SET is not one block of PEM");
  return block.bytes;
}
