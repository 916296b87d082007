import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { writeFileAtomic } from "../../state/atomic-file.ts";
import { parsePolicy } from "./policy.ts";

/** Requirements as the file holds them. */
type Json = Readonly<Record<string, unknown>>;

interface PolicyDocument {
  readonly default?: readonly Json[];
  readonly transports?: Readonly<Record<string, Readonly<Record<string, readonly Json[]>>>>;
}

/** What is asked of the images of a registry, of a part of it, or of all others (`default`). */
export interface TrustChange {
  readonly scope: string;
  readonly type: "accept" | "reject" | "signedBy" | "sigstoreSigned";
  /** Files of public keys; each must have signed. */
  readonly keys: readonly string[];
}

/** Changes a policy's file, or makes it. What is written is read first: a policy that is wrong changes nothing. */
export function changePolicy(file: string, change: TrustChange): void {
  const before = readDocument(file);
  const requirements = requirementsOf(change);
  const { transports = {} } = before;
  const docker = { ...transports.docker, [change.scope]: requirements };
  const after: PolicyDocument =
    change.scope === "default"
      ? { ...before, default: requirements }
      : { default: [{ type: "insecureAcceptAnything" }], ...before, transports: { ...transports, docker } };
  const text = JSON.stringify(after, undefined, 4);
  parsePolicy(text, file);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    writeFileAtomic(file, `${text}\n`, { mode: 0o644 });
  } catch (failure) {
    throw toGalleyError(failure, { op: "write trust policy", subject: file });
  }
}

function readDocument(file: string): PolicyDocument {
  if (!existsSync(file)) return {};
  const text = readFileSync(file, "utf8");
  parsePolicy(text, file);
  return JSON.parse(text) as PolicyDocument;
}

function requirementsOf({ type, keys }: TrustChange): readonly Json[] {
  const signed = type === "signedBy" || type === "sigstoreSigned";
  if (signed && keys.length === 0) throw wrong("at least one public key must be defined for type 'signedBy'");
  if (!signed && keys.length > 0) throw wrong(`pubkeysfile should not be specified for type '${type}'`);
  if (type === "accept") return [{ type: "insecureAcceptAnything" }];
  if (type === "reject") return [{ type: "reject" }];
  const missing = keys.find((path) => !existsSync(path));
  if (missing !== undefined) throw wrong(`key file ${missing} does not exist`);
  const paths = keys.map((path) => resolve(path));
  return type === "signedBy"
    ? paths.map((keyPath) => ({ type, keyType: "GPGKeys", keyPath }))
    : paths.map((keyPath) => ({ type, keyPath }));
}

function wrong(why: string): GalleyError {
  return new GalleyError("invalid_argument", why, { op: "set trust" });
}
