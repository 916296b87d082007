import { readFileSync } from "node:fs";
import { toGalleyError } from "../../errors.ts";
import type { KeySource } from "./policy.ts";

/** The keys, or the files of them, that a policy names. */
export function bytesOf(keys: KeySource): readonly Uint8Array[] {
  return "data" in keys ? keys.data : keys.paths.map(readKey);
}

function readKey(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (failure) {
    throw toGalleyError(failure, { op: "read key", subject: path });
  }
}

/** The same as texts, each with where it is from. */
export function textsOf(keys: KeySource): readonly { readonly text: string; readonly from: string }[] {
  const from = (at: number) => ("paths" in keys ? (keys.paths[at] ?? "") : "the policy");
  return bytesOf(keys).map((bytes, at) => ({ text: Buffer.from(bytes).toString("latin1"), from: from(at) }));
}
