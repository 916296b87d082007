import type { SignedIdentity } from "./policy.ts";
import { field, known, record, text } from "./policy-fields.ts";

/** Which names signatures may give: of a requirement that may leave it out. */
export function identityOrDefault(value: unknown): SignedIdentity {
  return value === undefined ? { type: "matchRepoDigestOrExact" } : identity(value);
}

/** Which names signatures may give (containers-policy.json(5), "signedIdentity"). */
export function identity(value: unknown): SignedIdentity {
  const { type } = record(value);
  switch (type) {
    case "matchExact":
    case "matchRepoDigestOrExact":
    case "matchRepository":
      known(value, ["type"]);
      return { type };
    case "exactReference":
      return { type, dockerReference: text(value, "dockerReference") };
    case "exactRepository":
      return { type, dockerRepository: text(value, "dockerRepository") };
    case "remapIdentity":
      known(value, ["type", "prefix", "signedPrefix"]);
      return {
        type,
        prefix: field(record(value).prefix, "prefix"),
        signedPrefix: field(record(value).signedPrefix, "signedPrefix"),
      };
    default:
      throw new SyntaxError(`Unknown policy reference match type ${JSON.stringify(type ?? "")}`);
  }
}
