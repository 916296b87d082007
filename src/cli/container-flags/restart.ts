import type { RestartPolicy } from "../../engine/types.ts";
import { UsageError } from "../usage-error.ts";

const names = ["no", "on-failure", "always", "unless-stopped"] as const;

/** `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:3`. Throws UsageError for anything else. */
export function parseRestart(text: string): RestartPolicy {
  const [name = "", count] = text === "" ? ["no"] : text.split(/:(.*)/s, 2);
  const known = names.find((one) => one === name);
  if (known === undefined) throw invalid(`unknown policy '${name}'; use ${names.map((one) => `'${one}'`).join(", ")}`);
  if (count === undefined || count === "") return { name: known, maxRetries: 0 };
  if (!/^-?[0-9]+$/.test(count)) throw invalid("maximum retry count must be an integer");
  const maxRetries = Number(count);
  if (maxRetries < 0) throw invalid("maximum retry count cannot be negative");
  if (known !== "on-failure" && maxRetries > 0) {
    throw invalid(`maximum retry count cannot be used with restart policy '${known}'`);
  }
  return { name: known, maxRetries };
}

function invalid(reason: string): UsageError {
  return new UsageError(`invalid restart policy: ${reason}`, 125, true);
}
