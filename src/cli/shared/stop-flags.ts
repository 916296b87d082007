import type { FlagValues } from "../flags/flag.ts";
import { int, string } from "../flags/kinds.ts";

/** What `stop` and `restart` take. */
export const stopFlags = {
  signal: string({ short: "s", usage: "Signal to send to the container" }),
  time: int({ usage: "", hidden: true, aliasOf: "timeout" }),
  timeout: int({ short: "t", usage: "Seconds to wait before killing the container" }),
};

/** As the engine takes it; what is not given is the container's own setting. */
export function stopOptions(
  flags: FlagValues<typeof stopFlags>,
  changed: ReadonlySet<string>,
): { readonly timeout?: number; readonly signal?: string } {
  return {
    ...(changed.has("timeout") && flags.timeout !== undefined ? { timeout: flags.timeout } : {}),
    ...(flags.signal === "" ? {} : { signal: flags.signal }),
  };
}
