import { GalleyError } from "../../../errors.ts";
import type { Environment } from "./certificates.ts";

/**
 * Throws where the environment names a proxy for these URLs that cannot be used: it would be passed over, and the registry asked directly.
 * A proxy is `http://[USER:PASSWORD@]HOST[:PORT]`, with `https`, or without a scheme.
 */
export function checkProxy(env: Environment, protocol: string): void {
  const name = `${protocol.slice(0, -1)}_proxy`;
  for (const variable of [name, name.toUpperCase()]) {
    const value = env[variable]?.trim() ?? "";
    const url = URL.parse(value.includes("://") ? value : `http://${value}`);
    if (value === "" || (url !== null && ["http:", "https:"].includes(url.protocol))) continue;
    throw new GalleyError("failed_precondition", "it names no proxy that speaks HTTP", {
      op: "ask registry",
      subject: variable,
      hint: "http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT",
    });
  }
}
