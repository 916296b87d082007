import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { toGalleyError } from "../../errors.ts";
import { type Policy, parsePolicy } from "./policy.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** A policy and the file that it comes from. */
export interface LoadedPolicy {
  readonly policy: Policy;
  readonly file: string;
}

/** The file of the policy that is in force: the user's own or the host's; `undefined` where there is none. */
export function policyFile(env: Environment): string | undefined {
  const own = join(env.HOME ?? homedir(), ".config/containers/policy.json");
  return [own, "/etc/containers/policy.json"].find((path) => existsSync(path));
}

/**
 * The policy of a file, or without one the policy that is in force. Where there is none at all everything is accepted, as Docker does: `undefined`.
 */
export function loadPolicy(env: Environment, named?: string): LoadedPolicy | undefined {
  const file = named ?? policyFile(env);
  if (file === undefined) return undefined;
  try {
    return { policy: parsePolicy(readFileSync(file, "utf8"), file), file };
  } catch (failure) {
    throw toGalleyError(failure, { op: "load trust policy", subject: file });
  }
}
