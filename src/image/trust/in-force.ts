import type { Accept } from "../copy/options.ts";
import type { PlaceName } from "../transports/place-name.ts";
import { loadPolicy } from "./policy-file.ts";

/**
 * What a copy asks about each image of a place: the policy of a file, or without one the policy that is in force. `undefined` where there is
 * none, and everything is accepted.
 */
export async function policyFor(
  place: PlaceName,
  env: Readonly<Record<string, string | undefined>>,
  file?: string,
): Promise<Accept | undefined> {
  const loaded = loadPolicy(env, file);
  if (loaded === undefined) return undefined;
  const { acceptBy } = await import("./check.ts");
  return acceptBy(loaded, place);
}
