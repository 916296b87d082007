import type { KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { GalleyError } from "../../../errors.ts";

/** The content of a file with a key, a certificate or a password; `invalid_argument` where it cannot be read. */
export function readKeyFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new GalleyError("invalid_argument", "Unable to read file", { op: "read key", subject: path, cause });
  }
}

/** Content that is a JSON Web Key, perhaps; `undefined` for what is no JSON. */
export function asJwk(bytes: Buffer): { readonly alg?: string } | undefined {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** The first that does not fail: a file may be of several forms. */
export function firstOf(...ways: readonly (() => KeyObject)[]): KeyObject | undefined {
  for (const way of ways) {
    try {
      return way();
    } catch {
      // The file may be of another form.
    }
  }
  return undefined;
}

/** What is said of a key that is of no use. */
export function invalidKey(subject: string, message: string, hint: string): GalleyError {
  return new GalleyError("invalid_argument", message, { op: "read key", subject, hint });
}
