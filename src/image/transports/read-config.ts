import type { ImageManifest } from "../../spec/image.ts";
import { MAX_CONFIG } from "../pull/fetch-documents.ts";
import { readCapped, tooLarge, verifyBytes } from "../verify/read.ts";
import type { Source } from "./place.ts";
import type { TransportOptions } from "./transport.ts";

/** The configuration that a manifest of a place names, checked; a larger one than MAX_CONFIG is `resource_exhausted`. */
export async function readConfig(
  source: Source,
  { config }: Pick<ImageManifest, "config">,
  options?: TransportOptions,
): Promise<Uint8Array> {
  if (config.size > MAX_CONFIG) throw tooLarge(`${config.digest} in ${source.name}`, MAX_CONFIG);
  const bytes = await readCapped(source.blob(config, options), MAX_CONFIG, config.digest);
  verifyBytes(bytes, config);
  return bytes;
}
